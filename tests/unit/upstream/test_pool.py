# SPDX-License-Identifier: Apache-2.0
"""Sockets that carry few questions each, and are given back; both twins pass the same tests."""

from __future__ import annotations

import asyncio
import os
import resource
import socket
from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING

import dns.rdatatype
import pytest
import uvloop

from filterd.errors import UpstreamUnreachableError
from filterd.policy.model import UpstreamServer
from filterd.upstream import UpstreamQuestion
from filterd.upstream import _pool_py as reference
from filterd.upstream.group import ServerHealth
from filterd.upstream.randomness import RandomNumbers
from filterd.upstream.timers import TimerWheel
from tests.support.policies import wire
from tests.support.serving import WITHIN_S, open_sockets
from tests.support.statistics import distinct_expected, serial_correlation
from tests.support.twins import MODULES

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable
    from types import ModuleType

    from filterd.upstream._pool_py import SocketPool
    from filterd.upstream.udp import UdpAttempt
    from filterd.wire import ParsedResponse
    from tests.support.upstream import FakeUpstream

QUESTION = UpstreamQuestion(wire("www.example.com"), dns.rdatatype.A, do=False, cd=False)


class Twin:
    """The twin that is tested."""

    module: ModuleType


@pytest.fixture(
    autouse=True, params=MODULES["pool"], ids=lambda module: module.__name__.rpartition(".")[2]
)
def _twin(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Twin, "module", request.param, raising=False)


class Waiting:
    """Sets an event when the answer is there."""

    def __init__(self) -> None:
        self.done = asyncio.Event()

    def answered(self, attempt: UdpAttempt, response: ParsedResponse) -> None:  # noqa: ARG002
        self.done.set()

    def mismatched(self) -> None:
        raise AssertionError

    def mismatched_in_case(self, attempt: UdpAttempt) -> None:  # noqa: ARG002
        raise AssertionError

    def refused(self) -> None:
        raise AssertionError


class Sink:
    """A server that says nothing; ``ports`` are those that asked, in order."""

    def __init__(self) -> None:
        self.socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.socket.bind(("127.0.0.1", 0))
        self.socket.setblocking(False)
        self.member = ServerHealth(UpstreamServer("127.0.0.1", self.socket.getsockname()[1]))

    def ports(self) -> list[int]:
        found = []
        while True:
            try:
                found.append(self.socket.recvfrom(4096)[1][1])
            except BlockingIOError:
                return found


def with_a_pool(
    test: Callable[[SocketPool, TimerWheel], Awaitable[None]],
    run: Callable[..., None] = uvloop.run,
) -> None:
    async def main() -> None:
        wheel = TimerWheel(asyncio.get_running_loop())
        opened: SocketPool = Twin.module.SocketPool(wheel, RandomNumbers(), Counter())
        before = open_sockets()
        try:
            await asyncio.wait_for(test(opened, wheel), WITHIN_S)
        finally:
            wheel.close()
            opened.close()
            opened.close()
        assert (len(opened), open_sockets()) == (0, before)

    run(main())


def ask(opened: SocketPool, member: ServerHealth) -> UdpAttempt:
    return opened.ask(Waiting(), member, QUESTION, 0.0, edns=True, exact=False)


@pytest.mark.parametrize("run", [asyncio.run, uvloop.run])
def test_an_answer_reaches_who_asked(upstream: FakeUpstream, run: Callable[..., None]) -> None:
    async def test(opened: SocketPool, _: TimerWheel) -> None:
        member = ServerHealth(UpstreamServer(upstream.address, upstream.port))
        attempts = [ask(opened, member) for _ in range(30)]
        for attempt in attempts:
            assert isinstance(attempt.waiter, Waiting)
            await attempt.waiter.done.wait()

    with_a_pool(test, run)


def test_no_socket_carries_more_than_its_share_of_questions() -> None:
    async def test(opened: SocketPool, _: TimerWheel) -> None:
        sink = Sink()
        ports: list[int] = []
        for _number in range(3_000):
            ask(opened, sink.member).close()
            ports += sink.ports()
        sink.socket.close()
        # A port may be drawn again, but hardly ever three times.
        assert max(Counter(ports).values()) <= 3 * reference.QUESTIONS_A_SOCKET
        assert len(set(ports)) > 0.9 * distinct_expected(1_000, 55_536)
        assert abs(serial_correlation(ports)) < 0.1  # 5 standard errors
        assert len(opened) <= 256

    with_a_pool(test)


def test_sockets_wait_for_answers_after_they_retire_and_close_then() -> None:
    async def test(opened: SocketPool, _: TimerWheel) -> None:
        sink = Sink()
        attempts = [ask(opened, sink.member) for _ in range(3_000)]
        assert len(opened) > 1_000 - 256
        for attempt in attempts:
            attempt.close()
        assert len(opened) <= 256  # one that may carry more, in each place
        sink.socket.close()

    with_a_pool(test)


def test_a_socket_that_is_not_used_up_lives_for_two_seconds(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(reference, "LIFE_S", 0.05)

    async def test(opened: SocketPool, wheel: TimerWheel) -> None:
        sink = Sink()
        waiting, *others = (ask(opened, sink.member) for _ in range(20))
        for other in others:
            other.close()
        assert len(wheel) == 1  # one timer for all
        while len(opened) > 1:
            await asyncio.sleep(0.01)
        while len(wheel):
            await asyncio.sleep(0.01)
        assert len(opened) == 1  # somebody waits there
        waiting.close()
        assert len(opened) == 0
        sink.socket.close()

    with_a_pool(test)


def test_a_retired_socket_in_its_place_is_not_used_again(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(reference, "PLACES", 1)

    async def test(opened: SocketPool, _: TimerWheel) -> None:
        sink = Sink()
        ask(opened, sink.member)
        ask(opened, sink.member).fail()
        ask(opened, sink.member)
        assert len(opened) == 2
        assert len(set(sink.ports())) == 2
        sink.socket.close()

    with_a_pool(test)


def test_the_number_of_sockets_is_bounded_and_idle_ones_make_room(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(reference, "MOST_SOCKETS", 5)
    monkeypatch.setattr(reference, "QUESTIONS_A_SOCKET", 2)
    monkeypatch.setattr(reference, "PLACES", 1)

    async def test(opened: SocketPool, _: TimerWheel) -> None:
        sink, other = Sink(), Sink()
        attempts = [ask(opened, sink.member) for _ in range(10)]
        with pytest.raises(UpstreamUnreachableError, match="all 5 sockets"):
            ask(opened, sink.member)
        for attempt in attempts[:2]:
            attempt.close()
        ask(opened, sink.member).close()  # stays in its place, idle
        assert len(opened) == 5
        ask(opened, other.member)
        assert len(opened) == 5
        sink.socket.close()
        other.socket.close()

    with_a_pool(test)


def test_half_of_the_descriptors_are_left_to_others(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(resource, "getrlimit", lambda _: (1_024, 4_096))
    assert reference.most_sockets() == 512
    monkeypatch.setattr(resource, "getrlimit", lambda _: (-1, -1))
    assert reference.most_sockets() == reference.MOST_SOCKETS


def test_where_no_socket_can_be_had_the_server_is_unreachable() -> None:
    async def test(opened: SocketPool, _: TimerWheel) -> None:
        before = resource.getrlimit(resource.RLIMIT_NOFILE)
        resource.setrlimit(resource.RLIMIT_NOFILE, (0, before[1]))
        try:
            with pytest.raises(UpstreamUnreachableError, match="Too many open files"):
                ask(opened, ServerHealth(UpstreamServer("127.0.0.1")))
        finally:
            resource.setrlimit(resource.RLIMIT_NOFILE, before)
        assert len(opened) == 0

    with_a_pool(test)


def test_an_unreachable_server_leaves_no_socket_open() -> None:
    async def test(opened: SocketPool, _: TimerWheel) -> None:
        with pytest.raises(UpstreamUnreachableError):
            ask(opened, ServerHealth(UpstreamServer("255.255.255.255")))
        assert len(opened) == 0

    with_a_pool(test)


def descriptors_of_sockets() -> set[int]:
    paths = [one for one in Path("/proc/self/fd").iterdir() if one.is_socket()]
    return {int(one.name) for one in paths}


def test_a_socket_that_cannot_send_is_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(reference, "PLACES", 1)

    async def test(opened: SocketPool, _: TimerWheel) -> None:
        sink = Sink()
        before = descriptors_of_sockets()
        ask(opened, sink.member)
        (own,) = descriptors_of_sockets() - before
        with socket.socket(fileno=os.dup(own)) as held:
            held.shutdown(socket.SHUT_WR)
        with pytest.raises(UpstreamUnreachableError):
            ask(opened, sink.member)
        ask(opened, sink.member)
        assert len(sink.ports()) == 2
        sink.socket.close()

    with_a_pool(test)


def test_ipv6_is_asked_by_ipv6_and_a_scope_has_to_be_there() -> None:
    async def test(opened: SocketPool, _: TimerWheel) -> None:
        with socket.socket(socket.AF_INET6, socket.SOCK_DGRAM) as server:
            server.bind(("::1", 0))
            server.settimeout(WITHIN_S)
            ask(opened, ServerHealth(UpstreamServer("::1", server.getsockname()[1])))
            assert server.recvfrom(4096)[1][0] == "::1"
        with pytest.raises(UpstreamUnreachableError):  # there is no such interface
            ask(opened, ServerHealth(UpstreamServer("fe80::1%nowhere")))

    with_a_pool(test)
