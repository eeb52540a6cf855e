# SPDX-License-Identifier: Apache-2.0
"""The lesson bell: a whole school asks for the same few names at once."""

from __future__ import annotations

import contextlib
import selectors
import socket
from time import perf_counter, sleep
from typing import TYPE_CHECKING, NamedTuple

from tests.support.wire import a_query

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

_TC = 0x02


class Rung(NamedTuple):
    """How it went: ``lost`` are questions without an answer or with a hint to come by TCP."""

    sent_within_s: float
    lost: int
    last_after_s: float


def ring(
    server: tuple[str, int],
    sources: Sequence[str],
    names: Sequence[str],
    within_s: float = 0.2,
    wait_s: float = 5.0,
    taken_in: Callable[[int], object] = bool,
) -> Rung:
    """Let every source ask for every name, spread over ``within_s``, and wait for the answers.

    ``taken_in`` returns when so many questions have been taken in, where none may be lost.
    """
    messages = [a_query(name, message_id=number) for number, name in enumerate(names)]
    with contextlib.ExitStack() as stack:
        clients = [stack.enter_context(_client(source, server)) for source in sources]
        start = perf_counter()
        for number, message in enumerate(messages):
            taken_in(number * len(clients))
            due = start + within_s * number / len(messages)
            sleep(max(0.0, due - perf_counter()))
            for client in clients:
                client.send(message)
        sent = perf_counter()
        answered, last = _collect(clients, len(messages), wait_s)
    return Rung(sent - start, len(clients) * len(messages) - answered, last - start)


def _client(source: str, server: tuple[str, int]) -> socket.socket:
    opened = socket.socket(type=socket.SOCK_DGRAM)
    opened.bind((source, 0))
    opened.connect(server)
    opened.setblocking(False)
    return opened


def _collect(clients: Sequence[socket.socket], each: int, wait_s: float) -> tuple[int, float]:
    """Return how many different answers came, and when the last did."""
    heard: dict[tuple[int, bytes], bool] = {}
    last = perf_counter()
    until = last + wait_s
    with selectors.DefaultSelector() as ready:
        for client in clients:
            ready.register(client, selectors.EVENT_READ)
        while len(heard) < len(clients) * each and perf_counter() < until:
            for key, _ in ready.select(0.1):
                answer = key.fileobj.recv(4096)  # type: ignore[union-attr]
                heard[key.fd, answer[:2]] = not answer[2] & _TC
                last = perf_counter()
    return sum(heard.values()), last
