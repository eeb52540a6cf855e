# SPDX-License-Identifier: Apache-2.0
"""The whole is tested with a daemon: ``tests/e2e/test_inspection.py``."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

import pytest

from filterd.accounts.account import Account, AccountBook
from filterd.base import bounded_child
from filterd.base.errors import ControlError, StoreError
from filterd.base.state_folder import StateFolder
from filterd.daemon.handlers.control_caller import Caller
from filterd.daemon.handlers.inspection_commands import Inspections
from filterd.daemon.handlers.self_tests import SelfTestRun
from filterd.overrides.rights.read_access import View
from filterd.overrides.rights.roles import Role
from filterd.policy.model import Audience
from filterd.policy.temporary_rules import Exam, LocalException, Overrides, TargetKind
from filterd.querylog.service_days import ServiceDay
from filterd.texts.i18n import quoted
from tests.support.clock import FakeClock

if TYPE_CHECKING:
    from pathlib import Path

NOW = FakeClock().wall()
ROOT = Caller(0, "root", frozenset())
INSPECTOR = Caller(4_711, "quy", frozenset({Role.INSPECTOR.group}))
TEACHER = Caller(4_712, "lan", frozenset({Role.TEACHER.group}))
PAUSE = LocalException(
    1, TargetKind.PAUSE, "", True, Audience.NETWORK, "lab", "", "web:lan", NOW - 60, NOW + 60
)


class Desk(Inspections):
    """Inspections whose records are numbered; ``looks`` are those in the history."""

    def __init__(self, folder: Path) -> None:
        self.looks = list[tuple[View, str]]()

        async def note_view(view: View, author: Any, _: Any) -> None:
            self.looks.append((view, author.name))

        async def service(first: str, last: str) -> tuple[str, list[ServiceDay]]:
            if self.is_log_broken:
                raise StoreError(quoted("the disk is broken"))
            return first, [ServiceDay(last, (1 << 1_440) - 1, "412", 7_200, 9, 1)]

        self.is_log_broken = False
        self.clock, self.made = FakeClock(), 0
        manager: Any = SimpleNamespace(
            changes=SimpleNamespace(note_view=note_view),
            log_keeper=SimpleNamespace(service=service),
        )
        setting: Any = SimpleNamespace(config=folder, state=StateFolder(folder), clock=self.clock)
        book = AccountBook(accounts=(Account("lan", frozenset({Role.TEACHER}), NOW),))
        super().__init__(manager, setting, lambda _: {}, dict, lambda: book, _untested)

    async def _made(self) -> dict[str, Any]:
        self.made += 1
        return {"record": str(self.made)}

    def ask(self, caller: Caller = ROOT, **arguments: Any) -> str:
        """Return the number of the record."""
        answer = asyncio.run(self.commands()["inspection"](arguments, caller))
        return str(answer["record"])


async def _untested() -> SelfTestRun:
    return SelfTestRun(NOW, ())


@pytest.fixture
def desk(tmp_path: Path) -> Desk:
    return Desk(tmp_path)


def test_inspectors_and_administrators_may_and_each_look_is_recorded(desk: Desk) -> None:
    assert (desk.ask(INSPECTOR), desk.ask()) == ("1", "2")
    assert desk.looks == [(View.INSPECTION, "quy"), (View.INSPECTION, "root")]


def test_others_are_refused_before_anything_is_recorded(desk: Desk) -> None:
    with pytest.raises(ControlError, match="lan may not look at the inspection record"):
        desk.ask(TEACHER)
    assert (desk.looks, desk.made) == ([], 0)


def test_a_page_that_is_loaded_again_gets_the_same_record_for_a_while(desk: Desk) -> None:
    assert [desk.ask(old_s=600), desk.ask(old_s=600)] == ["1", "1"]
    desk.clock.advance(601)
    assert desk.ask(old_s=600) == "2"
    assert desk.ask() == "3"


@pytest.mark.parametrize("old_s", [-1, 3_601, "x", True, 1.5])
def test_an_age_of_another_form_is_refused(desk: Desk, old_s: Any) -> None:
    with pytest.raises(ControlError, match="old_s: a whole number"):
        desk.ask(old_s=old_s)


def exceptions(desk: Desk, overrides: Overrides) -> list[Any]:
    site: Any = SimpleNamespace(timed=SimpleNamespace(overrides=overrides))
    return list(desk._exceptions(site, NOW))


def test_authors_are_there_by_their_roles_and_targets_not_at_all(desk: Desk) -> None:
    block = replace(
        PAUSE, kind=TargetKind.NAME, target="www.tiktok.com", allow=False, author="root"
    )
    gone = replace(PAUSE, author="web:hoa")
    exam = Exam(2, "lab", ("thi.example",), (), "", "web:lan", NOW - 1, NOW + 1)
    found = exceptions(desk, Overrides(exceptions=(PAUSE, block, gone), exams=(exam,)))
    assert [(one.kind, one.is_open, one.roles) for one in found] == [
        ("pause", True, ("teacher",)),
        ("name", False, ("admin",)),
        ("pause", True, ()),
        ("exam", False, ("teacher",)),
    ]


def test_what_has_ended_or_is_to_come_is_not_in_force(desk: Desk) -> None:
    ended = replace(PAUSE, ends_at=NOW)
    coming = replace(PAUSE, starts_at=NOW + 1)
    assert exceptions(desk, Overrides(exceptions=(ended, coming))) == []


def test_service_is_of_the_year_that_is_over(desk: Desk) -> None:
    found = asyncio.run(desk._service(NOW, "Asia/Ho_Chi_Minh"))
    assert (found.days, found.days_in_service, found.minutes) == (365, 1, 1_440)
    assert (found.lists_version, found.oldest_lists_s) == ("412", 7_200)
    assert (found.tests_passed, found.tests_failed, found.gap_count) == (9, 1, 0)
    assert len(found.days_unreadable) == 364


def test_a_log_that_cannot_be_read_is_no_year_without_gaps(desk: Desk) -> None:
    desk.is_log_broken = True
    found = asyncio.run(desk._service(NOW, "Asia/Ho_Chi_Minh"))
    assert (found.days, len(found.days_unreadable)) == (0, 1)


def test_without_a_doctor_findings_are_missing_and_not_empty(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    def late(*_: Any, **__: Any) -> None:
        raise TimeoutError

    monkeypatch.setattr(bounded_child, "run", late)
    assert desk._findings() is None
    with pytest.raises(StoreError, match="took too long"):
        desk._signed({}, {})
