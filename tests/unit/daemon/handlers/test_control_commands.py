# SPDX-License-Identifier: Apache-2.0
"""A change is made in the name of its caller, who has a rank."""

from __future__ import annotations

import asyncio
from types import SimpleNamespace
from typing import Any, cast

import pytest

from filterd.daemon.handlers.control_caller import Caller
from filterd.daemon.handlers.control_commands import author_of, commands
from filterd.overrides.rights.roles import ADMINS, TEACHERS, Author, Rank

ROOT = Caller(0, "root", frozenset())
ADMIN = Caller(1001, "minh", frozenset({ADMINS}))
TEACHER = Caller(1002, "lan", frozenset({TEACHERS}))
READER = Caller(1003, "an", frozenset({"filterd"}))


def test_a_change_is_made_in_the_name_of_its_caller() -> None:
    made = []

    async def note(given: dict[str, Any], author: Author) -> None:
        made.append((given["kind"], author.name, author.rank))

    manager = cast("Any", SimpleNamespace(changes=SimpleNamespace(change=note)))
    given = {"kind": "exam", "author": "root", "rank": 2}
    asyncio.run(cast("Any", commands(manager)["change"](given, TEACHER)))
    assert made == [("exam", "lan", Rank.TEACHER)]


@pytest.mark.parametrize(("caller", "rank"), [(ROOT, 2), (ADMIN, 2), (TEACHER, 1), (READER, 0)])
def test_a_caller_has_a_rank(caller: Caller, rank: int) -> None:
    assert author_of(caller).rank == rank
