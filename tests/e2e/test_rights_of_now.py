# SPDX-License-Identifier: Apache-2.0
"""A teacher's rule is in force when a class is deleted or moved, or its teacher is another.

The rights of now decide what that teacher may still do with it. Each change of the school stands
in ``site.yaml`` of a real daemon; the teacher asks by a session, as pages and programs do.
"""

from __future__ import annotations

import asyncio
import contextlib
from typing import TYPE_CHECKING, Any, NamedTuple

import pytest

from filterd import control
from filterd.base.errors import FilterdError
from filterd.overrides.rights.roles import Role
from filterd.web import operations
from tests.support.daemon import build_lists, free_port, noon, serving, write_site
from tests.support.signed_in import NAMES, token_of, visitor_of

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

pytestmark = pytest.mark.usefixtures("warm_children")
SITE = """\
  lab: {{cidrs: [127.0.60.0/24], grade: 6, room: true}}
  home-6a: {{cidrs: [127.0.61.0/24], class: {home}}}
  home-9b: {{cidrs: [127.0.62.0/24], class: 9B}}
classes:
{classes}  9B: {{grade: 9, teachers: [mai]}}
time_zone: {zone}
"""
"""A teacher's changes end with the day."""
FIRST = {"home": "6A", "classes": "  6A: {grade: 6, teachers: [lan]}\n"}


class Later(NamedTuple):
    """What becomes of the school, and whether lan has the class 6A then."""

    home: str
    classes: str
    has_it: bool


LATER = {
    "nothing": Later(FIRST["home"], FIRST["classes"], has_it=True),
    "another teacher": Later("6A", "  6A: {grade: 6, teachers: [mai]}\n", has_it=False),
    "a grade above": Later("6A", "  6A: {grade: 9, teachers: [lan]}\n", has_it=True),
    "a grade above, another teacher": Later(
        "6A", "  6A: {grade: 9, teachers: [mai]}\n", has_it=False
    ),
    "no class": Later("9B", "", has_it=False),
    "no teacher at all": Later("6A", "  6A: {grade: 6}\n", has_it=False),
}
_OF_6A = {"for_whom": "class:6A", "for_s": 600, "reason": "r"}
RULES: dict[str, dict[str, Any]] = {
    "block": {"targets": ["google.com"], **_OF_6A},
    "allow": {"targets": ["www.youtube.com"], **_OF_6A},
    "pause": {**_OF_6A, "for_s": 300},
    "setRoom": {"room": "lab", "grade": "6A", "for_s": 600},
    "startExam": {"room": "home-6a", "names": ["thi.example"], "for_s": 600, "reason": "r"},
}


class School:
    """A daemon, the session of lan, and the files of the site."""

    def __init__(self, config: Path, socket: Path) -> None:
        self.site, self.socket = config / "site.yaml", socket
        self._first, self._zone = self.site.read_text(encoding="utf-8"), noon()
        self.token = token_of(socket, Role.TEACHER)

    def become(self, home: str, classes: str) -> None:
        """Have another ``site.yaml`` in force."""
        was, now = (
            SITE.format(home=of, classes=with_, zone=self._zone)
            for of, with_ in (FIRST.values(), (home, classes))
        )
        assert was in self._first
        self.site.write_text(self._first.replace(was, now), encoding="utf-8")
        control.ask(self.socket, "reload")

    def may(self, name: str, **values: Any) -> bool:
        """Return whether lan's request is done; else it is refused for lan's rights."""
        operation = next(one for one in operations.ORDER if one.name == name)

        async def ask() -> None:
            visitor = await visitor_of(self.socket, self.token)
            await visitor.call(operation, **values)

        try:
            asyncio.run(ask())
        except FilterdError as error:
            if " may not " not in str(error):
                raise
            return False
        return True

    def last(self) -> int:
        """Return the number of lan's last change."""
        rows = control.ask(self.socket, "history", limit=99)
        return max(int(row["number"]) for row in rows if NAMES[Role.TEACHER] in row["author"])


@contextlib.contextmanager
def _school(folder: Path, program: tuple[str, ...] = ("-m", "filterd")) -> Iterator[School]:
    more = SITE.format(**FIRST, zone=noon())
    config = write_site(folder / "site", port=free_port(), more=more)
    state = build_lists(config, folder / "state")
    with serving(config, state.folder, program=program):
        yield School(config, state.control_socket)


@pytest.fixture(scope="module")
def school(tmp_path_factory: pytest.TempPathFactory) -> Iterator[School]:
    with _school(tmp_path_factory.mktemp("school")) as made:
        yield made


def _tries(school: School, rule: str, later: Later) -> dict[str, bool]:
    """Return whether lan may take the own rule back and make another, after the change."""
    school.become(*FIRST.values())
    assert school.may(rule, **RULES[rule])
    number = school.last()
    school.become(later.home, later.classes)
    tried = {"undo": school.may("undo", number=number)}
    if not tried["undo"]:
        control.ask(school.socket, "change", kind="undo", number=number, reason="")
    tried["again"] = school.may(rule, **RULES[rule])
    if tried["again"]:
        control.ask(school.socket, "change", kind="undo", number=school.last(), reason="")
    return tried


@pytest.mark.long
@pytest.mark.parametrize("rule", RULES)
@pytest.mark.parametrize("later", LATER)
def test_who_has_the_class_no_more_neither_takes_the_own_rule_back_nor_makes_another(
    school: School, rule: str, later: str
) -> None:
    may = LATER[later].has_it
    assert _tries(school, rule, LATER[later]) == {"undo": may, "again": may}


_AS_SET = (
    "-c",
    "from filterd.overrides.rights import permissions; permissions._check_thing = lambda *_: None;"
    "from filterd.cli.entry import main; main()",
)
"""The control: what a rule reaches now is not judged."""


@pytest.mark.long
def test_control_by_the_author_alone_the_former_teacher_does_both(tmp_path: Path) -> None:
    with _school(tmp_path, _AS_SET) as school:
        tried = _tries(school, "block", LATER["another teacher"])
    assert tried == {"undo": True, "again": True}
