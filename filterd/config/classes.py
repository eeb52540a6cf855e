# SPDX-License-Identifier: Apache-2.0
"""Check and compile the classes of a school, and where they sit.

A class has the policy of its grade. It is a key of its own in ``Policy.grades``, so that
networks, timetables and commands name it where they may name a grade, and rules for the
class alone apply to it.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from filterd.config.audience import no_class
from filterd.i18n import say
from filterd.policy.model import SchoolClass

if TYPE_CHECKING:
    from collections.abc import Mapping

    from filterd.config.site_schema import SiteFile
    from filterd.documents import Document
    from filterd.errors import Problems
    from filterd.policy.model import GradePolicy


def compile_classes(site: SiteFile) -> tuple[SchoolClass, ...]:
    """Return the classes, in the order of the file."""
    return tuple(
        SchoolClass(class_id, one.grade, one.teachers) for class_id, one in site.classes.items()
    )


def class_policies(grades: Mapping[str, GradePolicy], site: SiteFile) -> dict[str, GradePolicy]:
    """Return the policy of every class: that of its grade."""
    return {
        class_id: replace(grades[one.grade], class_id=class_id)
        for class_id, one in site.classes.items()
    }


def check_classes(document: Document, site: SiteFile, problems: Problems) -> None:
    """Note classes that differ in letter case only, and unknown classes.

    A class that the site does not have is unknown.
    """
    seen: dict[str, str] = {}
    for class_id in site.classes:
        first = seen.setdefault(class_id.casefold(), class_id)
        if first != class_id:
            reason = say(
                "'{class_id}' and '{first}' are the same class", class_id=class_id, first=first
            )
            error = document.error(reason, ("classes", class_id), hint=say("keep one of the two"))
            problems.add(error)
    for network_id, network in site.networks.items():
        if network.class_ is not None and network.class_ not in site.classes:
            where = ("networks", network_id, "class")
            problems.add(no_class(document, where, network.class_, site))
        for day, lessons in network.timetable.items():
            for lesson, cell in lessons.items():
                if cell.class_ is not None and cell.class_ not in site.classes:
                    place = ("networks", network_id, "timetable", day, lesson)
                    problems.add(no_class(document, place, cell.class_, site))
