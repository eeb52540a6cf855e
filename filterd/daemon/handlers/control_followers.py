# SPDX-License-Identifier: Apache-2.0
"""Stream the values of a command to the clients that follow it.

A command that is an async generator has no end of its own: each value is one frame. The
generator ends when the client closes its connection or does not read. Followers have places
of their own, beside the connections and commands of ``control_caller``; the memory of one
is the frame that is being sent, because its generator waits meanwhile.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections import Counter
from typing import TYPE_CHECKING, Any, TypeVar

from filterd.accounts.sessions import sign_in_again
from filterd.base.errors import ControlError, FilterdError, to_plain
from filterd.control import frames
from filterd.texts.i18n import say

if TYPE_CHECKING:
    import socket
    from collections.abc import AsyncGenerator, Callable, Iterator

    from filterd.daemon.handlers.control_caller import Caller

KeyT = TypeVar("KeyT")

MOST = 20
MOST_OF_OTHERS = 16
"""Of all users but root and the daemon's own, so that these two find a place."""
MOST_OF_A_USER = 3
"""Also of a person by the web."""
MOST_OF_WEB = 20
"""Of all people by the web, beside those at the gateway."""
HEARTBEAT_S = 15.0
TAKEN_WITHIN_S = 10.0
"""How long a client may take to read a frame."""

_logger = logging.getLogger("filterd.control")


class Followers:
    """The places of followers. ``own_uid`` is the daemon's user."""

    def __init__(self, own_uid: int) -> None:
        self._named = frozenset((0, own_uid))
        self._places, self._people = Counter[int](), Counter[str]()

    @contextlib.contextmanager
    def place(self, caller: Caller) -> Iterator[None]:
        """Hold a place for a user, or for the person in whose name it asks.

        Raises:
            ControlError: there is none left.
        """
        if caller.grant is not None:
            person = caller.grant.account
            of_person = self._people[person]
            if of_person >= MOST_OF_A_USER or self._people.total() >= MOST_OF_WEB:
                raise _too_many(MOST_OF_WEB)
            with held(self._people, person):
                yield
            return
        uid = caller.uid
        others = sum(n for user, n in self._places.items() if user not in self._named)
        is_full = self._places.total() >= MOST
        if uid not in self._named:
            is_full |= others >= MOST_OF_OTHERS or self._places[uid] >= MOST_OF_A_USER
        if is_full:
            raise _too_many(MOST)
        with held(self._places, uid):
            yield


def _too_many(most: int) -> ControlError:
    return ControlError(
        say(
            "too many commands follow filterd already ({of_user} of a user, {most} in all);"
            " end one of them",
            of_user=MOST_OF_A_USER,
            most=most,
        )
    )


@contextlib.contextmanager
def held(places: Counter[KeyT], key: KeyT) -> Iterator[None]:
    """Hold one of the places of a key."""
    places[key] += 1
    try:
        yield
    finally:
        places[key] -= 1
        if not places[key]:
            del places[key]


async def stream(
    connection: socket.socket,
    request: frames.ControlRequest,
    values: AsyncGenerator[Any, None],
    notices: Callable[[], list[Any]],
    holds: Callable[[], bool] = lambda: True,
) -> None:
    """Send values to a client until it leaves, or they end, or its rights do.

    Args:
        connection: of the client.
        request: that it answers.
        values: of the command.
        notices: returns what every answer must show.
        holds: whether the rights by which it was begun are still there.

    Raises:
        TimeoutError: the client does not read.
        OSError: it is gone.
    """
    loop = asyncio.get_running_loop()
    sending = loop.create_task(_send_all(connection, request, values, notices, holds))
    leaving = loop.create_task(_left(connection))
    try:
        await asyncio.wait((sending, leaving), return_when=asyncio.FIRST_COMPLETED)
    finally:
        sending.cancel()
        leaving.cancel()
        (outcome, _) = await asyncio.gather(sending, leaving, return_exceptions=True)
        await values.aclose()
    if isinstance(outcome, Exception):
        raise outcome


async def _send_all(
    connection: socket.socket,
    request: frames.ControlRequest,
    values: AsyncGenerator[Any, None],
    notices: Callable[[], list[Any]],
    holds: Callable[[], bool],
) -> None:
    waiting = asyncio.ensure_future(anext(values))
    try:
        while True:
            done, _ = await asyncio.wait((waiting,), timeout=HEARTBEAT_S)
            content: dict[str, Any] = {"ok": True, "result": None}
            if not holds():
                await send(connection, frames.dump_answer(request, failed(sign_in_again())))
                return
            if not done:
                content |= {frames.HEARTBEAT: True}
            else:
                content |= {"result": waiting.result()}
                if shown := notices():
                    content |= {"notices": shown}
                waiting = asyncio.ensure_future(anext(values))
            await send(connection, frames.dump_answer(request, content, is_end=False))
    except StopAsyncIteration:
        await send(connection, frames.dump_answer(request, {"ok": True, "result": None}))
    except OSError:  # or a TimeoutError, which is one
        raise
    except Exception as error:  # noqa: BLE001 -- logged whole, and the client gets an answer
        await send(connection, frames.dump_answer(request, failed(error)))
    finally:
        waiting.cancel()
        await asyncio.gather(waiting, return_exceptions=True)


async def _left(connection: socket.socket) -> None:
    """Return when the client closes, or sends anything: it has no more to ask."""
    with contextlib.suppress(OSError):
        await asyncio.get_running_loop().sock_recv(connection, 1)


async def send(connection: socket.socket, frame: bytes) -> None:
    """Send a frame.

    Raises:
        TimeoutError: it is not taken in.
        OSError: the other end is gone.
    """
    async with asyncio.timeout(TAKEN_WITHIN_S):
        await asyncio.get_running_loop().sock_sendall(connection, frame)


def failed(error: Exception) -> dict[str, Any]:
    """Return the content of the answer to a command that failed; a bug is logged."""
    if isinstance(error, FilterdError):
        return {"ok": False, **to_plain(error)}
    _logger.error("a command failed", exc_info=error)
    return {
        "ok": False,
        "code": "internal",
        "error": "the command failed inside filterd; see its log",
    }
