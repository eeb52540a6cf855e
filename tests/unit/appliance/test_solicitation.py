# SPDX-License-Identifier: Apache-2.0
"""Answers to one question, and a bound on what is collected."""

from __future__ import annotations

import asyncio
import socket
from typing import TYPE_CHECKING

import pytest

from filterd.appliance import solicitation
from filterd.appliance.solicitation import solicit

if TYPE_CHECKING:
    from collections.abc import Iterator

Pair = tuple[socket.socket, socket.socket]


@pytest.fixture
def pair() -> Iterator[Pair]:
    ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_DGRAM)
    with ours, theirs:
        yield ours, theirs


def _read(opened: socket.socket) -> bytes | None:
    return opened.recv(100) or None


def test_each_answer_counts_once_and_enough_end_it(pair: Pair) -> None:
    ours, theirs = pair
    for answer in (b"one", b"one", b"", b"two"):
        theirs.send(answer)
    asking = solicit(ours, lambda one: one.send(b"?"), _read, within_s=60, enough=2)
    assert asyncio.run(asking) == (b"one", b"two")
    assert theirs.recv(100) == b"?"


def test_silence_ends_with_the_time(pair: Pair) -> None:
    assert asyncio.run(solicit(pair[0], lambda _: None, _read, within_s=0.01)) == ()


def test_a_question_is_repeated(pair: Pair, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(solicitation, "AGAIN_AFTER_S", 0.001)
    asked = []

    def ask(_: socket.socket) -> None:
        asked.append(1)
        if len(asked) == 3:
            pair[1].send(b"at last")

    assert asyncio.run(solicit(pair[0], ask, _read, within_s=60, enough=1)) == (b"at last",)


def test_a_flood_of_nonsense_ends_it(pair: Pair, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(solicitation, "MOST_MESSAGES", 3)
    for _ in range(5):
        pair[1].send(b"")
    assert asyncio.run(solicit(pair[0], lambda _: None, _read, within_s=60)) == ()


def test_a_socket_that_fails_is_an_error(pair: Pair) -> None:
    def broken(opened: socket.socket) -> bytes | None:
        opened.recv(100)
        raise OSError("the network is down")

    pair[1].send(b"x")
    with pytest.raises(OSError, match="down"):
        asyncio.run(solicit(pair[0], lambda _: None, broken, within_s=60))
