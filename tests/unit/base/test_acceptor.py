# SPDX-License-Identifier: Apache-2.0
"""Connections are accepted one by one, and after an error of the system only after a pause."""

from __future__ import annotations

import asyncio
import errno
import os
import socket
from typing import TYPE_CHECKING, Any

import pytest
import uvloop

from filterd.base import acceptor
from filterd.base.acceptor import Acceptor

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine

    Run = Callable[[Coroutine[Any, Any, None]], None]

WITHIN_S = 10.0
ROUNDS = 200


class Listening(socket.socket):
    """A socket whose accept fails with one error after the other, and then no more."""

    def __init__(self, *errors: int) -> None:
        super().__init__()
        self.bind(("127.0.0.1", 0))
        self.errors, self.tries = list(errors), 0

    def accept(self) -> tuple[socket.socket, Any]:
        self.tries += 1
        if self.errors:
            number = self.errors.pop(0)
            raise OSError(number, os.strerror(number))
        return super().accept()


class Taken:
    """The connections that were accepted."""

    def __init__(self) -> None:
        self.addresses: list[Any] = []
        self._waiting: list[asyncio.Future[None]] = []

    def take(self, connection: socket.socket, address: Any) -> None:
        connection.close()
        self.addresses.append(address)
        for one in self._waiting:
            one.set_result(None)
        self._waiting.clear()

    async def wait_for(self, count: int) -> None:
        async with asyncio.timeout(WITHIN_S):
            while len(self.addresses) < count:
                self._waiting.append(asyncio.get_running_loop().create_future())
                await self._waiting[-1]


@pytest.fixture(params=[asyncio.run, uvloop.run], ids=["asyncio", "uvloop"])
def run(request: pytest.FixtureRequest) -> Run:
    chosen: Run = request.param
    return chosen


async def _turn() -> None:
    """Let the loop look at its descriptors many times."""
    for _ in range(ROUNDS):
        await asyncio.sleep(0)


def test_each_is_accepted_with_the_address_of_its_client(run: Run) -> None:
    async def main() -> None:
        taken, listening = Taken(), Listening()
        accepting = Acceptor(listening, "here", taken.take)
        accepting.listen(16)
        clients = [socket.create_connection(listening.getsockname()) for _ in range(5)]
        await taken.wait_for(5)
        assert taken.addresses == [client.getsockname() for client in clients]
        accepting.close()
        for client in clients:
            client.close()

    run(main())


@pytest.mark.parametrize("number", [errno.EMFILE, errno.ENFILE, errno.ENOBUFS, errno.ENOMEM])
def test_after_an_error_of_the_system_it_pauses_and_goes_on(
    run: Run, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture, number: int
) -> None:
    monkeypatch.setattr(acceptor, "PAUSE_S", 0.1)

    async def main() -> None:
        taken, listening = Taken(), Listening(number)
        accepting = Acceptor(listening, "here", taken.take)
        accepting.listen(16)
        with socket.create_connection(listening.getsockname()):
            await taken.wait_for(1)
        assert listening.tries == 2
        accepting.close()

    run(main())
    assert caplog.messages == [f"here: no connection can be accepted: {os.strerror(number)}"]


def test_control_without_the_pause_it_tries_again_and_again(
    run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    def tries() -> int:
        listening = Listening(*[errno.EMFILE] * 10_000)

        async def main() -> None:
            accepting = Acceptor(listening, "here", Taken().take)
            accepting.listen(16)
            with socket.create_connection(listening.getsockname()):
                await _turn()
            accepting.close()

        run(main())
        return listening.tries

    assert tries() == 1
    monkeypatch.setattr(Acceptor, "_pause", lambda *_: None)
    assert tries() > ROUNDS / 4


def test_a_client_that_is_gone_keeps_no_other_waiting(run: Run) -> None:
    async def main() -> None:
        taken, listening = Taken(), Listening(errno.ECONNABORTED, errno.EPROTO, errno.EAGAIN)
        accepting = Acceptor(listening, "here", taken.take)
        accepting.listen(16)
        with socket.create_connection(listening.getsockname()):
            await taken.wait_for(1)
        accepting.close()

    run(main())


def test_a_connection_after_the_end_waits_in_the_kernel(run: Run) -> None:
    async def main() -> None:
        taken, listening = Taken(), Listening()
        accepting = Acceptor(listening, "here", taken.take)
        with socket.socket(fileno=os.dup(listening.fileno())) as shared:
            accepting.listen(16)
            accepting.close()
            accepting.close()
            with socket.create_connection(shared.getsockname()):
                await _turn()
                assert taken.addresses == []
                shared.accept()[0].close()

    run(main())


def test_closed_in_its_pause_it_does_not_begin_again(
    run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(acceptor, "PAUSE_S", 0.01)

    async def main() -> None:
        listening = Listening(errno.EMFILE)
        accepting = Acceptor(listening, "here", Taken().take)
        accepting.listen(16)
        with socket.create_connection(listening.getsockname()):
            while not listening.tries:
                await asyncio.sleep(0)
            accepting.close()
            await asyncio.sleep(0.02)
        assert listening.tries == 1

    run(main())
