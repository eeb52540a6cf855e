# SPDX-License-Identifier: Apache-2.0
"""Compile files of expectations about names and grades.

Each tier has a file, ``expectations/<tier>.yaml``; one in the site's folder replaces the
shipped one. Any other file there is the school's.
"""

from __future__ import annotations

import re
from dataclasses import replace
from datetime import datetime
from functools import partial
from typing import TYPE_CHECKING, Annotated, Any, Literal, NamedTuple
from zoneinfo import ZoneInfo

from pydantic import Field, PlainValidator, WithJsonSchema, model_validator

from filterd.base.errors import Problems
from filterd.base.paths import shipped
from filterd.config.build_record import EXPECTATIONS
from filterd.config.scalars import (
    ClassId,
    Grade,
    Identifier,
    Name,
    Tier,
)
from filterd.documents import Document, DocumentModel, did_you_mean, load, refusal, validate
from filterd.policy.field_checks import is_a_grade, written_time
from filterd.policy.model import GRADES, TIERS, Audience, Expectation
from filterd.policy.school_week import WEEKDAYS
from filterd.texts.i18n import say

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterable, Iterator
    from pathlib import Path

    from pydantic_core import PydanticCustomError

    from filterd.config.site_reader import SiteFiles, SiteSources

_BLOCKED, _PASSES = "blocked", "passes"
_KINDS = ("grade", "class", "tier", "room", "network")
_SUCH_AS = say("such as: www.tiktok.com is blocked for primary")
_sentence = re.compile(
    r"(?P<name>\S+) (?P<verb>is blocked|passes)(?: for (?P<whom>.+?))?(?: at (?P<at>.+))?"
).fullmatch
_of_week = re.compile(r"(?P<day>[a-z]\w+) +(?P<hour>\d{1,2}):(?P<minute>\d{2})", re.ASCII).fullmatch

_Moment = tuple[int, int] | datetime
"""A weekday and the seconds after midnight, or one time."""


def _moment(value: Any) -> _Moment:
    text = value.strip() if isinstance(value, str) else ""
    found = _of_week(text.lower())
    if found is None:
        return _time(text)
    if found["day"] not in WEEKDAYS:
        raise refusal(
            say("'{word}' is not a weekday", word=found["day"]),
            did_you_mean(found["day"], WEEKDAYS),
        )
    hour, minute = int(found["hour"]), int(found["minute"])
    if hour > 23 or minute > 59:
        raise _no_time(text)
    return WEEKDAYS[found["day"]], hour * 3600 + minute * 60


def _time(text: str) -> datetime:
    written = written_time(text)
    if written is None:
        raise _no_time(text)
    return written


def _no_time(text: str) -> PydanticCustomError:
    return refusal(
        say("'{text}' is not a time", text=text), say("such as t2 08:00 or 2026-09-07T08:00")
    )


class ExpectationEntry(DocumentModel):
    """One expectation, key by key."""

    name: Name = Field(description="The name that is asked for.")
    expect: Literal["blocked", "passes"] = Field(description="The expected result.")
    grade: Grade | None = Field(None, description="For this grade.")
    class_: ClassId | None = Field(None, alias="class", description="For this class.")
    tier: Tier | None = Field(None, description="For every grade of this tier.")
    network: Identifier | None = Field(
        None, description="For clients in this network at that time."
    )
    room: Identifier | None = Field(None, description="For clients in this room at that time.")
    at: Annotated[_Moment | None, PlainValidator(_moment), WithJsonSchema({"type": "string"})] = (
        Field(None, description="When, such as t2 08:00; schedules count only then.")
    )

    @model_validator(mode="after")
    def _is_for_one(self) -> ExpectationEntry:
        given = (self.grade, self.class_, self.tier, self.network, self.room)
        if sum(one is not None for one in given) > 1:
            raise refusal(say("an expectation is for one audience"), say("write one for each"))
        return self

    @property
    def audience(self) -> tuple[Audience, str]:
        """Its audience."""
        if self.grade is not None:
            return Audience.GRADE, self.grade
        if self.class_ is not None:
            return Audience.CLASS, self.class_
        if self.tier is not None:
            return Audience.TIER, self.tier
        place = self.network or self.room
        return (Audience.EVERYBODY, "") if place is None else (Audience.NETWORK, place)


class Given(NamedTuple):
    """A file of expectations, read by ``load``; ``ships``: it ships with filterd."""

    load: Callable[[], Document]
    ships: bool


def given_for(files: SiteFiles) -> dict[str, Given]:
    """Return the files that hold for a site, by their names."""
    ours = sorted((shipped("policies") / EXPECTATIONS).glob("*.yaml"))
    by_name = {path.name: Given(partial(load, path), ships=True) for path in ours}
    for path in files.expectations():
        by_name[path.rpartition("/")[2]] = Given(partial(files.load, path), _ships(files, path))
    return by_name


def _ships(files: SiteFiles, path: str) -> bool:
    return (files.folder / path).parent == shipped("policies") / EXPECTATIONS


def compile_expectations(sources: SiteSources, problems: Problems) -> tuple[Expectation, ...]:
    """Return the expectations of a site, and note the errors of their files."""
    site, given = sources.file, given_for(sources.files).values()
    with problems.noting():
        return _compiled(given, site.time_zone, site.networks, site.classes)
    return ()


def load_expectations(
    paths: Iterable[Path], time_zone: str, networks: Collection[str], classes: Collection[str] = ()
) -> tuple[Expectation, ...]:
    """Read files of expectations that do not ship.

    Args:
        paths: the files.
        time_zone: of the school.
        networks: those that the site has.
        classes: those that the site has.

    Raises:
        ConfigErrors: all that is wrong with them.
    """
    given = (Given(partial(load, path), ships=False) for path in paths)
    return _compiled(given, time_zone, networks, classes)


def _compiled(
    given: Iterable[Given], time_zone: str, networks: Collection[str], classes: Collection[str]
) -> tuple[Expectation, ...]:
    problems = Problems()
    found: list[Expectation] = []
    for one in given:
        with problems.noting():
            compiled = compile_document(one.load(), time_zone, networks, classes)
            found += (replace(expectation, shipped=one.ships) for expectation in compiled)
    problems.raise_if_any()
    return tuple(found)


def compile_document(
    document: Document, time_zone: str, networks: Collection[str], classes: Collection[str] = ()
) -> list[Expectation]:
    """Compile one file.

    Raises:
        ConfigErrors: all that is wrong with it.
    """
    if not isinstance(document.data, list):
        raise document.error(say("a list of expectations is expected here"), hint=_SUCH_AS)
    zone, problems = ZoneInfo(time_zone), Problems()
    found: list[Expectation] = []
    for item in _items(document):
        with problems.noting():
            entry = _entry(item)
            audience, whom = entry.audience
            if audience is Audience.NETWORK and whom not in networks:
                hint = did_you_mean(whom, networks)
                raise item.error(say("there is no network '{whom}'", whom=whom), hint=hint)
            if audience is Audience.CLASS and whom not in classes:
                hint = did_you_mean(whom, classes)
                raise item.error(say("there is no class '{whom}'", whom=whom), hint=hint)
            found.append(_expectation(item, entry, zone))
    problems.raise_if_any()
    return found


def _items(document: Document) -> Iterator[Document]:
    """Yield each item as a document of its own, which knows its places in the file."""
    places: dict[int, dict[Any, tuple[int, int]]] = {}
    for where, place in document.places.items():
        if where and isinstance(where[0], int):
            places.setdefault(where[0], {})[where[1:]] = place
    for position, data in enumerate(document.data):
        yield Document(document.path, data, places.get(position, {}))


def _entry(item: Document) -> ExpectationEntry:
    if not isinstance(item.data, str):
        return validate(item, ExpectationEntry)
    found = _sentence(" ".join(item.data.split()))
    if found is None:
        raise item.error(say("'{data}' is not an expectation", data=item.data), hint=_SUCH_AS)
    keys: dict[str, Any] = {
        "name": found["name"],
        "expect": _BLOCKED if found["verb"] == "is blocked" else _PASSES,
        **_whom(item, found["whom"]),
    }
    if found["at"]:
        keys["at"] = found["at"]
    return validate(Document(item.path, keys, {(): item.place(())}), ExpectationEntry)


def _whom(item: Document, text: str | None) -> dict[str, str]:
    """Return the part of a sentence after ``for``, as keys."""
    if text in (None, "everybody"):
        return {}
    kind, _, rest = text.partition(" ") if text else ("", "", "")
    if rest:
        if kind not in _KINDS:
            hint = did_you_mean(kind, _KINDS)
            raise item.error(say("'{text}' is not an audience", text=text), hint=hint)
        return {"class" if kind == "grade" and not is_a_grade(rest) else kind: rest}
    if kind in TIERS:
        return {"tier": kind}
    if kind in GRADES:
        return {"grade": kind}
    hint = did_you_mean(kind, ("everybody", *TIERS))
    raise item.error(say("'{text}' is not a tier", text=text), hint=hint)


def _expectation(item: Document, entry: ExpectationEntry, zone: ZoneInfo) -> Expectation:
    audience, whom = entry.audience
    line, _ = item.place(())
    at = weekday = second = None
    if isinstance(entry.at, datetime):
        at = (entry.at if entry.at.tzinfo else entry.at.replace(tzinfo=zone)).timestamp()
    elif entry.at is not None:
        weekday, second = entry.at
    return Expectation(
        entry.name,
        entry.expect == _BLOCKED,
        audience,
        whom,
        _written(item, entry),
        item.path,
        line,
        at,
        weekday,
        second,
    )


def _written(item: Document, entry: ExpectationEntry) -> str:
    if isinstance(item.data, str):
        return " ".join(item.data.split())
    audience, whom = entry.audience
    verb = "is blocked" if entry.expect == _BLOCKED else "passes"
    name, when = item.data["name"], item.data.get("at")
    group = "everybody" if audience is Audience.EVERYBODY else f"{audience.value} {whom}"
    return f"{name} {verb} for {group}" + (f" at {when}" if when else "")
