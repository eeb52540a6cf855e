# SPDX-License-Identifier: Apache-2.0
"""A handler gets what is within its bounds, and nothing else."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated, Any

import pytest

from filterd.base.errors import ControlError
from filterd.daemon.handlers.handled import handled, streamed
from filterd.operations.parameters.scalar import Whole
from filterd.operations.request import OperationRequest
from tests.support.report_school import ADMIN

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator

    from filterd.daemon.handlers.control_caller import Caller


@dataclass(frozen=True, slots=True)
class Count(OperationRequest[Any], command="count"):
    """Count to a number."""

    to: Annotated[int, Whole(1, 3)]


async def _count(asked: Count, _: Caller) -> tuple[Count, ...]:
    return tuple(Count(one + 1) for one in range(asked.to))


async def _stream(asked: Count, _: Caller) -> AsyncGenerator[int, None]:
    for one in range(asked.to):
        yield one


def test_it_gets_the_request_and_its_answer_becomes_plain() -> None:
    (command,) = handled(Count, _count).values()
    assert asyncio.run(command({"to": 2}, ADMIN)) == [{"to": 1}, {"to": 2}]


@pytest.mark.parametrize("given", [{}, {"to": 4}, {"to": 1, "more": 1}, {"to": None}])
def test_what_is_no_request_never_reaches_it(given: dict[str, Any]) -> None:
    (command,) = handled(Count, _count).values()
    with pytest.raises(ControlError, match="`count`: "):
        asyncio.run(command(given, ADMIN))


def test_a_stream_is_read_and_bounded_as_well() -> None:
    async def values(to: int) -> list[int]:
        return [one async for one in streamed(Count, _stream)["count"]({"to": to}, ADMIN)]

    assert asyncio.run(values(3)) == [0, 1, 2]
    with pytest.raises(ControlError, match="`count`: "):
        asyncio.run(values(4))
