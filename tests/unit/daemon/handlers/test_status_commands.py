# SPDX-License-Identifier: Apache-2.0
"""The status has what its reader may see; a reload is for administrators."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from types import SimpleNamespace
from typing import Any, cast

import pytest

from filterd.accounts.grant import Grant
from filterd.base.errors import ControlError
from filterd.daemon.handlers.control_caller import Caller
from filterd.daemon.handlers.status_commands import commands
from filterd.operations.reload import Reloaded
from filterd.overrides.rights.permissions import Classroom
from filterd.overrides.rights.roles import ADMINS, TEACHERS, Role
from filterd.policy.model import Network, SchoolClass
from filterd.policy.temporary_rules import Overrides
from tests.support.policies import a_policy
from tests.support.week import SEVEN

ADMIN = Caller(1001, "minh", frozenset({ADMINS}))
TEACHER = Caller(1002, "lan", frozenset({TEACHERS}))
READER = Caller(1003, "an", frozenset({"filterd"}))
BY_WEB = replace(TEACHER, user="filterd-web", grant=Grant("lan", frozenset((Role.TEACHER,))))
DISPUTE = ["10.0.0.9", "02:00:00:00:00:01", "02:00:00:00:00:02"]
POLICY = replace(
    a_policy(networks=[Network("lab", "6", room=True)]),
    classes=(SchoolClass("6A", "6", ("hoa",)),),
)


class StatusManager:
    """Stands for the manager; notes what it is asked."""

    def __init__(self) -> None:
        index = SimpleNamespace(lists=(), build={})
        self.site, self.changes = SimpleNamespace(policy=POLICY, index=index), self
        self.asked: list[Any] = []

    def classroom(self, site: Any) -> Classroom:
        """What a teacher's rights depend on."""
        return Classroom(site.policy, Overrides(), SEVEN, SEVEN + 3600, lambda _: None)

    def clock(self) -> dict[str, Any]:
        return {"policy_time": SEVEN, "standing": "known"}

    async def status(self, *asked: Any) -> dict[str, Any]:
        self.asked += asked
        links = {"read_at": 0.0, "passages": {"lan0": "open"}}
        return {"signals": {"links": links}, "disputes": [DISPUTE]}

    async def reload(self, *, lists_only: bool) -> Reloaded:
        self.asked.append(lists_only)
        return Reloaded("0123456789ab", 5, 2, ("listen",))


def ask(name: str, caller: Caller = ADMIN, **given: Any) -> tuple[Any, list[Any]]:
    """Return the answer to a command, and what it has the manager do."""
    manager = StatusManager()
    known = commands(cast("Any", manager), lambda address: {"address": address})
    return asyncio.run(cast("Any", known[name](given, caller))), manager.asked


@pytest.mark.parametrize(
    ("caller", "classes"), [(ADMIN, None), (TEACHER, frozenset()), (READER, frozenset())]
)
def test_status_has_the_classes_that_the_caller_may_read(caller: Caller, classes: Any) -> None:
    found, (shown, totals) = ask("status", caller, totals_old_s=9)
    assert found["protection"]["level"] == "partly"
    assert found["protection"]["links"] == {"lan0": "open"}
    assert found["feed"] == {"address": POLICY.feed}
    assert (shown, totals.old_s) == (classes, 9)
    assert (totals.threshold.devices == 0) is (classes is None)


def test_which_devices_dispute_an_address_is_counted_only_for_a_teacher_by_the_web() -> None:
    assert ask("status", TEACHER)[0]["disputes"] == [DISPUTE]
    assert ask("status", BY_WEB)[0]["disputes"] == [[]]


@pytest.mark.parametrize("old_s", [61, 0.5, -1, "now"])
def test_totals_are_a_minute_old_at_most(old_s: object) -> None:
    with pytest.raises(ControlError, match="`status`: totals_old_s: a whole number from 0 to 60"):
        ask("status", totals_old_s=old_s)


def test_a_reload_is_of_all_files_or_of_the_lists_only() -> None:
    done, asked = ask("reload")
    assert asked == [False]
    assert done == {
        "policy": "0123456789ab",
        "names": 5,
        "lists": 2,
        "restart_for": ["listen"],
        "doubts": [],
    }
    assert ask("reload", lists_only=True)[1] == [True]


def test_only_administrators_reload() -> None:
    for caller in (READER, TEACHER, BY_WEB):
        with pytest.raises(ControlError, match=r"may not reload.*filterd-admin"):
            ask("reload", caller)


def test_everybody_reads_the_clock() -> None:
    assert ask("clock", READER)[0] == {"policy_time": SEVEN, "standing": "known"}
    assert ask("ping", READER)[0] == "pong"
