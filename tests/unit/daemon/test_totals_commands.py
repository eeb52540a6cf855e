# SPDX-License-Identifier: Apache-2.0
"""Totals by role: the school for all, classes for their teachers and administrators."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from types import SimpleNamespace
from typing import Any, cast

import pytest

from filterd.daemon.control_caller import Caller
from filterd.daemon.totals_commands import commands
from filterd.errors import ConfigError, ControlError
from filterd.overrides.permissions import Classroom
from filterd.overrides.roles import Role
from filterd.policy.model import SchoolClass
from filterd.policy.temporary_rules import Overrides
from filterd.querylog.totals_request import TotalsRequest
from tests.support.policies import a_policy
from tests.support.week import SEVEN

CLASSES = (SchoolClass("6A", "6", ("lan",)), SchoolClass("6B", "6"))


def member(*roles: Role) -> Caller:
    return Caller(1002, "lan", frozenset(role.group for role in roles))


def asked(caller: Caller, **request: Any) -> tuple[Any, ...]:
    """Return request and classes, as the manager is asked for totals."""
    called: list[tuple[Any, ...]] = []
    policy = replace(a_policy(), classes=CLASSES)

    async def log_totals(*given: Any) -> list[Any]:
        called.append(given)
        return []

    school = Classroom(policy, Overrides(), SEVEN, SEVEN + 3600, lambda _: None)
    changes = SimpleNamespace(classroom=lambda _: school)
    site = SimpleNamespace(policy=policy)
    manager = SimpleNamespace(log_totals=log_totals, changes=changes, site=site)

    async def whole() -> None:
        await commands(cast("Any", manager), cast("Any", None))["log totals"](request, caller)

    asyncio.run(whole())
    return called[0]


@pytest.mark.parametrize("role", Role)
def test_every_reader_sees_totals_of_the_school_its_tiers_and_grades(role: Role) -> None:
    assert asked(member(role), days=7, tier="primary", grade="5", by_hour=True) == (
        TotalsRequest(7, "primary", "5", by_hour=True),
        None,
    )


@pytest.mark.parametrize("role", [Role.READER, Role.PRINCIPAL, Role.INSPECTOR])
@pytest.mark.parametrize(
    "request_", [{"class": "6A"}, {"network": "lab"}, {"by_class": True}, {"by_network": True}]
)
def test_classes_and_networks_are_not_for_every_reader(
    role: Role, request_: dict[str, Any]
) -> None:
    with pytest.raises(ControlError, match="filterd-admin"):
        asked(member(role), **request_)


def test_an_administrator_sees_every_class_of_every_day() -> None:
    wanted = TotalsRequest(400, class_id="6B", by_network=True)
    assert asked(member(Role.ADMIN), days=400, by_network=True, **{"class": "6B"}) == (wanted, None)


def test_a_teacher_sees_own_classes_of_today() -> None:
    (request, classes) = asked(member(Role.TEACHER), by_class=True, by_hour=True)
    assert (request.days, classes) == (1, {"6A"})
    with pytest.raises(ControlError, match="may not look at class 6B"):
        asked(member(Role.TEACHER), **{"class": "6B"})
    with pytest.raises(ControlError, match="today only"):
        asked(member(Role.TEACHER), by_class=True, days=2)


@pytest.mark.parametrize("request_", [{"class": "7Z"}, {"network": "lba"}])
def test_a_class_or_network_without_totals_that_the_site_does_not_have_is_refused(
    request_: dict[str, Any],
) -> None:
    with pytest.raises(ConfigError, match="is not known here"):
        asked(member(Role.ADMIN), **request_)


@pytest.mark.parametrize(
    "request_", [{"days": True}, {"days": 0}, {"days": 801}, {"grade": 6}, {"class": ["6A"]}]
)
def test_what_makes_no_sense_is_refused(request_: dict[str, Any]) -> None:
    with pytest.raises(ControlError, match="`log totals` wants"):
        asked(member(Role.ADMIN), **request_)
