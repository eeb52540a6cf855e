# SPDX-License-Identifier: Apache-2.0
"""One attempt by UDP; ``test_exchange`` tests what it accepts."""

from __future__ import annotations

import asyncio
import errno
import socket
from typing import TYPE_CHECKING

import dns.rdatatype
import pytest
import uvloop

from filterd.errors import UpstreamUnreachableError
from filterd.policy.model import UpstreamServer
from filterd.upstream import UpstreamQuestion
from filterd.upstream.udp import UdpAttempt
from tests.support.policies import wire
from tests.support.serving import WITHIN_S, open_sockets

if TYPE_CHECKING:
    from filterd.wire import ParsedResponse
    from tests.support.upstream import FakeUpstream

QUESTION = UpstreamQuestion(wire("www.example.com"), dns.rdatatype.A, do=False, cd=False)


def ignore(*_: object) -> None:
    """What a test does not look at."""


def attempt(server: UpstreamServer, answered: object = ignore) -> UdpAttempt:
    return UdpAttempt(
        server,
        QUESTION,
        edns=True,
        answered=answered,  # type: ignore[arg-type]  # set_result of a future serves
        mismatched=ignore,
        refused=ignore,
    )


@pytest.mark.parametrize("loop", [asyncio.run, uvloop.run])
def test_the_socket_is_closed_with_the_answer(upstream: FakeUpstream, loop: object) -> None:
    async def main() -> None:
        before = open_sockets()
        done: asyncio.Future[ParsedResponse] = asyncio.get_running_loop().create_future()
        attempt(UpstreamServer(upstream.address, upstream.port), done.set_result)
        await asyncio.wait_for(done, WITHIN_S)
        assert open_sockets() == before

    loop(main())  # type: ignore[operator]  # either runner


def test_closing_twice_is_closing_once(upstream: FakeUpstream) -> None:
    async def main() -> None:
        going_on = attempt(UpstreamServer(upstream.address, upstream.port))
        going_on.close()
        going_on.close()

    uvloop.run(main())


def test_where_no_socket_can_be_had_the_server_is_unreachable(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def none_left(*_: object) -> socket.socket:
        raise OSError(errno.EMFILE, "Too many open files")

    async def main() -> None:
        monkeypatch.setattr(socket, "socket", none_left)
        with pytest.raises(UpstreamUnreachableError, match="Too many open files"):
            attempt(UpstreamServer("127.0.0.1"))
        monkeypatch.undo()

    asyncio.run(main())


def test_an_unreachable_server_leaves_no_socket_open() -> None:
    async def main() -> None:
        before = open_sockets()
        with pytest.raises(UpstreamUnreachableError):
            attempt(UpstreamServer("255.255.255.255"))
        assert open_sockets() == before

    uvloop.run(main())
