# SPDX-License-Identifier: Apache-2.0
"""Solicit answers from all servers of a link, and collect them for some seconds.

A lost packet is no answer, so the question is repeated; the answers are counted and not
timed, so that a flood of them ends the collection sooner, not later.
"""

from __future__ import annotations

import asyncio
import contextlib
from typing import TYPE_CHECKING, TypeVar

if TYPE_CHECKING:
    import socket
    from collections.abc import Callable, Hashable

AGAIN_AFTER_S = 1.0
MOST_ANSWERS = 16
"""Different ones; more servers on one link are an attack, and the first show it."""
MOST_MESSAGES = 1_000

T = TypeVar("T", bound="Hashable")


async def solicit(
    opened: socket.socket,
    ask: Callable[[socket.socket], object],
    read: Callable[[socket.socket], T | None],
    *,
    within_s: float,
    enough: int = MOST_ANSWERS,
) -> tuple[T, ...]:
    """Return the different answers, in the order in which they came.

    Args:
        opened: a non-blocking socket; its owner closes it.
        ask: sends the question.
        read: receives one message; None where it is no answer.
        within_s: how long answers are collected.
        enough: as many end it sooner.

    Raises:
        OSError: the question cannot be sent, or the socket fails.
    """
    loop, answers, over = asyncio.get_running_loop(), dict[T, None](), asyncio.Event()
    failures, messages = list[OSError](), 0

    def receive() -> None:
        nonlocal messages
        messages += 1
        try:
            answer = read(opened)
        except BlockingIOError:
            answer = None
        except OSError as error:
            answer = None
            failures.append(error)
        if answer is not None:
            answers[answer] = None
        if failures or len(answers) >= enough or messages >= MOST_MESSAGES:
            over.set()

    loop.add_reader(opened, receive)
    try:
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(within_s):
                while not over.is_set():
                    ask(opened)
                    with contextlib.suppress(TimeoutError):
                        await asyncio.wait_for(over.wait(), AGAIN_AFTER_S)
    finally:
        loop.remove_reader(opened)
    if failures:
        raise failures[0]
    return tuple(answers)
