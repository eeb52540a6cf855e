# SPDX-License-Identifier: Apache-2.0
"""The file ``timetable.yaml``: timetables of rooms, as a spreadsheet was imported.

It stands beside ``site.yaml``, which people write. A room in it has this timetable in the
place of the one in ``site.yaml``.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from pydantic import RootModel

from filterd.config.audience import no_class
from filterd.config.scalars import Identifier
from filterd.config.week_schema import Timetable
from filterd.documents import did_you_mean, validate
from filterd.field_checks import is_a_grade
from filterd.i18n import say
from filterd.policy.lesson_rows import DAYS

if TYPE_CHECKING:
    from collections.abc import Iterable

    from filterd.config.site_schema import SiteFile
    from filterd.config.site_sources import SiteFiles
    from filterd.documents import Document
    from filterd.errors import Problems
    from filterd.policy.model import Network, Period

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
