# SPDX-License-Identifier: Apache-2.0
"""A change is made in the name of its caller."""

from __future__ import annotations

import asyncio
from types import SimpleNamespace
from typing import Any, cast

from filterd.daemon.handlers.change_commands import commands
from filterd.daemon.handlers.control_caller import Caller
from filterd.overrides.rights.roles import TEACHERS, Author, Rank

TEACHER = Caller(1002, "lan", frozenset({TEACHERS}))


def test_a_change_is_made_in_the_name_of_its_caller() -> None:
    made = []

    async def note(given: dict[str, Any], author: Author) -> None:
        made.append((given["kind"], author.name, author.rank))

    manager = cast("Any", SimpleNamespace(changes=SimpleNamespace(change=note)))
    given = {"kind": "exam", "author": "root", "rank": 2}
    asyncio.run(cast("Any", commands(manager)["change"](given, TEACHER)))
    assert made == [("exam", "lan", Rank.TEACHER)]
