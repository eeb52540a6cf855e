# SPDX-License-Identifier: Apache-2.0
"""A listener that stops resets no connection: answers are sent, later ones wait."""

from __future__ import annotations

import asyncio
import socket
from typing import TYPE_CHECKING

import dns.message
import pytest

from filterd.daemon.serving import tcp_listener
from filterd.daemon.serving.tcp_listener import TcpListener
from filterd.fastpath.pktinfo import bind
from filterd.policy.model import ListenAddress
from tests.support.serving import WITHIN_S, Serving, TcpStub, a_site
from tests.support.team import School
from tests.support.wire import a_query

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from filterd.base.state_folder import StateFolder
    from filterd.lists.index import Index
    from tests.support.team import Team
    from tests.support.upstream import FakeUpstream

pytestmark = pytest.mark.usefixtures("patient")

BLOCKED = a_query("porn.example")


@pytest.fixture(params=["uvloop", "asyncio"])
def on_each_loop(
    index: Index, upstream: FakeUpstream, request: pytest.FixtureRequest
) -> Iterator[Serving]:
    with Serving(a_site(index, [upstream]), listen=["127.0.0.1"], loop=request.param) as serving:
        yield serving


def without_winding_up(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let listeners end as if no answers were waiting."""

    def cut(listener: TcpListener) -> None:
        assert listener._acceptor is not None
        listener._acceptor.close()
        for connection in list(listener.connections):
            connection.abort()

    monkeypatch.setattr(TcpListener, "wind_up", cut)


def is_reset(stub: TcpStub) -> bool:
    """Wait for the end; return whether it was a reset."""
    try:
        while stub.socket.recv(4_096):
            pass
    except ConnectionResetError:
        return True
    return False


def test_what_has_come_by_the_end_is_answered(on_each_loop: Serving) -> None:
    (listener,) = on_each_loop._tcp
    with on_each_loop.tcp_stub() as stub, on_each_loop.tcp_stub() as idle:
        assert stub.ask(BLOCKED)
        assert idle.ask(BLOCKED)

        def ask_and_end() -> None:
            stub.send(*[BLOCKED] * 30)
            listener.wind_up()

        on_each_loop.run(ask_and_end)
        assert all(stub.receive() for _ in range(30))
        assert not is_reset(stub)
        assert not is_reset(idle)
        stub.socket.close()
        idle.socket.close()
        on_each_loop.eventually(lambda: not listener.connections)


@pytest.mark.parametrize("winds_up", [True, False])
def test_what_waits_for_an_upstream_at_the_end_is_answered(
    on_each_loop: Serving,
    upstream: FakeUpstream,
    monkeypatch: pytest.MonkeyPatch,
    *,
    winds_up: bool,
) -> None:
    if not winds_up:
        without_winding_up(monkeypatch)
    upstream.released.clear()
    with on_each_loop.tcp_stub() as stub:
        stub.send(a_query("www.example.com"))
        upstream.wait_until_asked()
        on_each_loop.run(on_each_loop._tcp[0].wind_up)
        upstream.released.set()
        reply = stub.receive()
        assert bool(reply and dns.message.from_wire(reply).answer) is winds_up
        assert not is_reset(stub)


def test_a_connection_after_the_end_is_answered_by_the_next_process(on_each_loop: Serving) -> None:
    serving = on_each_loop
    opened = bind(ListenAddress("127.0.0.1", 0), socket.SOCK_STREAM)
    address = opened.getsockname()

    def a_listener() -> TcpListener:
        return TcpListener(serving.resolver, serving.stepper, serving.limiter, serving.connections)

    first, second = serving.run(a_listener), serving.run(a_listener)
    with opened:
        serving.run(lambda: first.start(opened.dup()))
        serving.run(first.wind_up)
        with TcpStub("127.0.1.1", address) as stub:
            stub.send(BLOCKED)
            serving.start(first.close()).result(WITHIN_S)
            serving.run(lambda: second.start(opened.dup()))
            assert stub.receive()
        serving.start(second.close()).result(WITHIN_S)


def test_a_connection_being_accepted_at_the_end_is_answered(on_each_loop: Serving) -> None:
    (listener,) = on_each_loop._tcp

    async def accept_and_close() -> TcpStub:
        stub = TcpStub("127.0.1.1", ("127.0.0.1", listener.port))
        stub.send(BLOCKED)
        assert listener._acceptor is not None
        listener._acceptor._accept()
        assert not listener.connections
        await listener.close()
        assert not listener._connecting
        return stub

    with on_each_loop.start(accept_and_close()).result(WITHIN_S) as stub:
        assert stub.receive()
        assert not is_reset(stub)
        on_each_loop.eventually(lambda: not listener.connections)


@pytest.mark.parametrize("is_set", [True, False])
def test_small_answers_wait_for_no_acknowledgement(
    index: Index, monkeypatch: pytest.MonkeyPatch, *, is_set: bool
) -> None:
    """Plain asyncio sets the option only on sockets with an explicit protocol."""
    option = socket.IPPROTO_TCP, socket.TCP_NODELAY
    if not is_set:
        monkeypatch.delitem(tcp_listener._INHERITED, option)
    with (
        Serving(a_site(index), listen=["127.0.0.1"], loop="asyncio") as serving,
        serving.tcp_stub() as stub,
    ):
        assert stub.ask(BLOCKED)
        (connection,) = serving.run(lambda: list(serving._tcp[0].connections))
        assert connection._transport is not None
        accepted = connection._transport.get_extra_info("socket")
        assert bool(accepted.getsockopt(*option)) is is_set


@pytest.mark.parametrize("winds_up", [True, False])
def test_a_worker_that_stops_answers_by_tcp_too(
    tmp_path: Path,
    built: StateFolder,
    upstream: FakeUpstream,
    monkeypatch: pytest.MonkeyPatch,
    *,
    winds_up: bool,
) -> None:
    if not winds_up:
        without_winding_up(monkeypatch)
    school = School(tmp_path, built, upstream.port)
    upstream.released.clear()

    async def work(team: Team) -> None:
        reader, writer = await asyncio.open_connection("127.0.0.1", school.port)
        query = a_query("www.example.com")
        writer.write(len(query).to_bytes(2) + query)
        while not team.worker._path.forwarder.in_flight:
            await asyncio.sleep(0)
        stopping = asyncio.get_running_loop().create_task(team.workers.pop().stop())
        await asyncio.sleep(0)
        upstream.released.set()
        received = await asyncio.wait_for(reader.read(), WITHIN_S)
        writer.close()
        await stopping
        assert bool(received and dns.message.from_wire(received[2:]).answer) is winds_up

    school.serve(work)
