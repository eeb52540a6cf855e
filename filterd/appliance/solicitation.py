# SPDX-License-Identifier: Apache-2.0
"""Ask all servers of a link by one socket, and collect their answers.

A lost packet is no answer, so a question is repeated. The answers are counted and not timed, so
that a flood of them ends the collection sooner, not later.
"""

from __future__ import annotations

import asyncio
import contextlib
from typing import TYPE_CHECKING, Generic, TypeVar

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
    enough: int | None = None,
) -> tuple[T, ...]:
    """Return the different answers, in the order in which they came.

    Args:
        opened: a socket; its owner closes it.
        ask: sends the question.
        read: receives one message; None where it is no answer.
        within_s: how long answers are collected.
        enough: as many end it sooner; None for ``MOST_ANSWERS``.

    Raises:
        OSError: the question cannot be sent, or the socket fails.
    """
    loop, answers = asyncio.get_running_loop(), _Collected(opened, read, enough or MOST_ANSWERS)
    opened.setblocking(False)
    loop.add_reader(opened, answers.receive)
    try:
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(within_s):
                while not answers.over.is_set():
                    ask(opened)
                    with contextlib.suppress(TimeoutError):
                        await asyncio.wait_for(answers.over.wait(), AGAIN_AFTER_S)
    finally:
        loop.remove_reader(opened)
    return answers.all()


class _Collected(Generic[T]):
    """The different answers to a question; messages without an end are not read."""

    def __init__(
        self, opened: socket.socket, read: Callable[[socket.socket], T | None], enough: int
    ) -> None:
        self._opened, self._read, self._enough = opened, read, enough
        self._answers, self._messages = dict[T, None](), 0
        self._failure: OSError | None = None
        self.over = asyncio.Event()

    def receive(self) -> None:
        """Read one message."""
        self._messages += 1
        try:
            answer = self._read(self._opened)
        except BlockingIOError:
            answer = None
        except OSError as error:
            answer, self._failure = None, error
        if answer is not None:
            self._answers[answer] = None
        is_all = len(self._answers) >= self._enough or self._messages >= MOST_MESSAGES
        if is_all or self._failure is not None:
            self.over.set()

    def all(self) -> tuple[T, ...]:
        """Return the answers in the order in which they came.

        Raises:
            OSError: the socket has failed.
        """
        if self._failure is not None:
            raise self._failure
        return tuple(self._answers)
