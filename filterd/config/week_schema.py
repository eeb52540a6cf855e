# SPDX-License-Identifier: Apache-2.0
"""The schema of the school's week: lessons, timetables, schedules, holidays.

As in ``site_schema``, each value is only checked for itself. The file ``timetable.yaml``
beside ``site.yaml`` has timetables of rooms as a spreadsheet was imported: a room in it has
this timetable in the place of the one in ``site.yaml``.
"""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Annotated, Any, Literal, NamedTuple

from pydantic import (
    AfterValidator,
    BeforeValidator,
    Field,
    PlainValidator,
    RootModel,
    WithJsonSchema,
    model_validator,
)

from filterd.config.scalars import ClassId, ForWhom, Grade, Identifier, Tier, Whom, no_class
from filterd.documents import DocumentModel, OrElse, did_you_mean, refusal, validate
from filterd.lists.catalogs.catalog_schema import IsoDate
from filterd.policy.field_checks import is_a_grade
from filterd.policy.model import DAY_S
from filterd.policy.school_week import DAYS, WEEKDAYS
from filterd.texts.i18n import say

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from filterd.base.errors import ConfigError, Problems
    from filterd.config.site_reader import SiteFiles
    from filterd.config.site_schema import SiteFile
    from filterd.documents import Document
    from filterd.policy.model import Network, Period


_TIME = re.compile(r"([01]?[0-9]|2[0-4]):([0-5][0-9])")
_SUCH_A_TIME = say("such as 07:00 or 16:30")


class TimeSpan(NamedTuple):
    """A part of a day, in seconds after midnight."""

    starts_s: int
    ends_s: int


def _weekday(text: str) -> str:
    if text not in WEEKDAYS:
        raise refusal(
            say("'{text}' is not a day of the week", text=text), did_you_mean(text, WEEKDAYS)
        )
    return text


def _time_of_day(value: Any) -> int:
    found = _TIME.fullmatch(value) if isinstance(value, str) else None
    seconds = int(found[1]) * 3600 + int(found[2]) * 60 if found else DAY_S + 1
    if seconds > DAY_S:
        raise refusal(say("'{value}' is not a time of day", value=value), _SUCH_A_TIME)
    return seconds


def _time_span(value: Any) -> TimeSpan:
    parts = value.split("-") if isinstance(value, str) else ()
    if len(parts) != 2:
        raise refusal(
            say("'{value}' is not a part of a day", value=value), say("such as 07:00-07:45")
        )
    span = TimeSpan(*(_time_of_day(part.strip()) for part in parts))
    if span.starts_s >= span.ends_s:
        raise refusal(say("it ends before it begins"), say("such as 07:00-07:45"))
    return span


def _a_date_is_a_day(value: Any) -> Any:
    return {"first": value} if isinstance(value, str) else value


_TEXT_SCHEMA = WithJsonSchema({"type": "string"})

Weekday = Annotated[
    str, AfterValidator(_weekday), WithJsonSchema({"type": "string", "enum": list(WEEKDAYS)})
]
TimeOfDay = Annotated[int, PlainValidator(_time_of_day), _TEXT_SCHEMA]
LessonTime = Annotated[TimeSpan, PlainValidator(_time_span), _TEXT_SCHEMA]


class CellEntry(DocumentModel):
    """The grade or class in a lesson of a room; a text alone is that."""

    grade: Grade | None = Field(None, description="The grade, where the class does not matter.")
    class_: ClassId | None = Field(None, alias="class", description="The class, such as 6A.")
    teacher: Annotated[str, Field(max_length=64)] = Field(
        "", description="The user of the gateway who teaches there; another name is for people."
    )

    @model_validator(mode="after")
    def _is_one(self) -> CellEntry:
        if (self.grade is None) is (self.class_ is None):
            raise refusal(
                say("a lesson has either a class or a grade"), say("write class: or grade:")
            )
        return self

    @property
    def seat(self) -> str:
        """The class, else the grade."""
        return self.class_ or self.grade or ""


def _a_text_sits_there(value: Any) -> Any:
    """Read a text or number alone as a grade if there is one, else as a class."""
    if isinstance(value, dict):
        return value
    return {"grade" if is_a_grade(str(value)) else "class": value}


Timetable = dict[
    Weekday,
    dict[
        Identifier,
        Annotated[
            CellEntry,
            BeforeValidator(_a_text_sits_there),
            OrElse(CellEntry, {"type": ["string", "integer"]}),
        ],
    ],
]
"""The grade or class in a room, by weekday and lesson."""


class DaysOff(DocumentModel):
    """Days without school, beside the public holidays."""

    first: IsoDate = Field(description="The day, or the first of several.")
    last: IsoDate | None = Field(None, description="The last of several days.")
    name: str = Field("", description="Its name for people.")

    @model_validator(mode="after")
    def _is_in_order(self) -> DaysOff:
        if self.last is not None and self.last < self.first:
            raise refusal(say("the holiday ends before it begins"), say("swap first and last"))
        return self


Holidays = tuple[
    Annotated[DaysOff, BeforeValidator(_a_date_is_a_day), OrElse(DaysOff, {"type": "string"})], ...
]


class WindowEntry(DocumentModel):
    """A time of day on some days; an end before the start is on the day after."""

    days: Annotated[tuple[Weekday, ...], Field(min_length=1)] | None = Field(
        None, description="On which days of the week it begins; every day if left out."
    )
    from_: TimeOfDay = Field(alias="from", description="When it begins.")
    to: TimeOfDay = Field(description="When it ends; before from, that is on the day after.")
    first: IsoDate | None = Field(None, description="The first date of it.")
    last: IsoDate | None = Field(None, description="The last date of it.")
    holidays: Literal["off", "on"] | None = Field(
        None, description="on: only on holidays; off: not on holidays; both if left out."
    )

    @model_validator(mode="after")
    def _may_open(self) -> WindowEntry:
        if self.from_ == DAY_S:
            raise refusal(say("24:00 is the end of a day"), say("begin the next day at 00:00"))
        if self.from_ == self.to:
            raise refusal(
                say("it never opens: it begins when it ends"),
                say("a whole day is from 00:00 to 24:00"),
            )
        if self.first is not None and self.last is not None and self.last < self.first:
            raise refusal(
                say("it never opens: it ends before it begins"), say("swap first and last")
            )
        return self


class TargetEntry(DocumentModel):
    """The thing that a schedule opens or closes."""

    category: Identifier | None = Field(None, description="A category.")
    service: Identifier | None = Field(None, description="A service.")
    list_: Identifier | None = Field(None, alias="list", description="One list.")
    tier: Tier | None = Field(
        None, description="A tier; closed, it gets only allowed names and pins."
    )

    @model_validator(mode="after")
    def _is_one(self) -> TargetEntry:
        if len(self.model_dump(exclude_none=True)) != 1:
            raise refusal(
                say("it can have only one of these"), say("category:, service:, list: or tier:")
            )
        return self

    @property
    def named(self) -> tuple[str, str]:
        """The kind of the thing and its id."""
        ((kind, target),) = self.model_dump(exclude_none=True, by_alias=True).items()
        return kind, target


class ScheduledEntry(DocumentModel):
    """An effect of a schedule while it is active."""

    schedule: Identifier = Field(description="One of the schedules.")
    open: TargetEntry | None = Field(None, description="The thing to open.")
    close: TargetEntry | None = Field(None, description="The thing to close.")
    for_: ForWhom = Field(
        Whom(), alias="for", description="Everybody, or one tier, grade, class, network or client."
    )

    @model_validator(mode="after")
    def _is_one_or_the_other(self) -> ScheduledEntry:
        if (self.open is None) is (self.close is None):
            raise refusal(say("it either opens or closes something"), say("write open: or close:"))
        return self

    @property
    def verb(self) -> str:
        """Its key: ``open`` or ``close``."""
        return "open" if self.open is not None else "close"

    @property
    def target(self) -> TargetEntry:
        """What it opens or closes."""
        target = self.open or self.close
        assert target is not None
        return target


TIMETABLE_FILE = "timetable.yaml"
_HEADER = "# Written by `filterd timetable import`; the next import replaces this file."


class TimetableFile(RootModel[dict[Identifier, Timetable]]):
    """The timetables, by the id of the room."""


def with_timetables(files: SiteFiles, site: SiteFile, problems: Problems) -> SiteFile:
    """Return the site with the timetables of the file, if there is one.

    Args:
        files: of the site.
        site: the content of ``site.yaml``.
        problems: collects the errors of the file.
    """
    if not files.has(TIMETABLE_FILE):
        return site
    with problems.noting():
        document = files.load(TIMETABLE_FILE)
        if not document.data:
            return site
        rooms = validate(document, TimetableFile).root
        networks = dict(site.networks)
        for room, timetable in rooms.items():
            _check(document, room, timetable, site, problems)
            if room in networks:
                networks[room] = networks[room].model_copy(update={"timetable": timetable})
        return site.model_copy(update={"networks": networks})
    return site


def undeclared_rooms(files: SiteFiles, site: SiteFile) -> Iterator[ConfigError]:
    """Yield a warning for each network that ``site.yaml`` does not declare a room.

    Args:
        files: of the site; its timetables are right.
        site: the content of ``site.yaml`` alone.
    """
    if not files.has(TIMETABLE_FILE):
        return
    document = files.load(TIMETABLE_FILE)
    for network in document.data or {}:
        if not site.networks[network].is_room:
            reason = say("'{network}' is not declared as a room", network=network)
            hint = say(
                "write room: true at {network} in site.yaml, or import the timetable again",
                network=network,
            )
            yield document.error(reason, (network,), hint=hint)


def _check(
    document: Document, room: str, timetable: Timetable, site: SiteFile, problems: Problems
) -> None:
    if room not in site.networks:
        reason = say("'{network}' is not a network of this site", network=room)
        problems.add(document.error(reason, (room,), hint=did_you_mean(room, site.networks)))
    for day, lessons in timetable.items():
        for lesson, cell in lessons.items():
            where = (room, day, lesson)
            if lesson not in site.lessons:
                hint = did_you_mean(lesson, site.lessons) or say("name it under lessons")
                reason = say("'{lesson}' is not a lesson of this site", lesson=lesson)
                problems.add(document.error(reason, where, hint=hint))
            if cell.class_ is not None and cell.class_ not in site.classes:
                problems.add(no_class(document, where, cell.class_, site))


def written(networks: Iterable[Network]) -> bytes:
    """Return the content of the file for the timetables of these networks.

    Texts are in quotes: YAML reads a class such as 6E1 as a number.
    """
    lines = [_HEADER]
    for network in networks:
        lines.append(f"{network.id}:")
        for weekday, day in enumerate(DAYS):
            cells = {one.lesson: _cell(one) for one in network.timetable if one.weekday == weekday}
            if cells:
                lines.append(f"  {day}: {json.dumps(cells, ensure_ascii=False)}")
    return ("\n".join(lines) + "\n").encode()


def _cell(period: Period) -> str | dict[str, str]:
    kind = "grade" if is_a_grade(period.grade) else "class"
    whole = {kind: period.grade, "teacher": period.teacher}
    return whole if period.teacher else period.grade
