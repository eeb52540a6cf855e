# SPDX-License-Identifier: Apache-2.0
"""Sockets that carry few questions each, and are given back.

The plain pool and the native one pass the same tests; only the native one shares sockets.
"""

from __future__ import annotations

import asyncio
import contextlib
import errno
import os
import resource
import select
import socket
import sys
from collections import Counter
from pathlib import Path
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any, cast

import dns.rdatatype
import pytest
import uvloop

from filterd.base.errors import UpstreamUnreachableError
from filterd.policy.model import UpstreamServer
from filterd.upstream import UpstreamQuestion
from filterd.upstream import socket_pool as reference
from filterd.upstream.randomness import RandomNumbers
from filterd.upstream.server_group import ServerHealth
from filterd.upstream.socket_pool import TICK_S, TimerWheel
from tests.support.policies import wire
from tests.support.serving import WITHIN_S, open_sockets
from tests.support.statistics import distinct_expected, serial_correlation
from tests.support.twins import both, native, plain
from tests.support.wire import a_query, a_response

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Iterator
    from types import ModuleType

    from filterd.upstream.socket_pool import SocketPool, UdpAttempt
    from filterd.wire import ParsedResponse
    from tests.support.upstream import FakeUpstream


class FakeHandle:
    """A timer of the fake loop."""

    def __init__(self, at: float, call: Callable[[], None]) -> None:
        self.at, self.call, self.cancelled = at, call, False

    def cancel(self) -> None:
        self.cancelled = True


class FakeLoop:
    """An event loop whose time is set forward."""

    def __init__(self) -> None:
        self.now = 1_000.0
        self.timers: list[FakeHandle] = []
        self.raised: list[Exception] = []

    def time(self) -> float:
        return self.now

    def call_at(self, at: float, call: Callable[[], None]) -> FakeHandle:
        self.timers.append(FakeHandle(at, call))
        return self.timers[-1]

    def call_soon(self, call: Callable[[], None]) -> None:
        try:
            call()
        except Exception as error:  # noqa: BLE001 -- as a loop does
            self.raised.append(error)

    def advance(self, seconds: float) -> None:
        until = self.now + seconds
        while due := [timer for timer in self.timers if not timer.cancelled and timer.at <= until]:
            first = min(due, key=lambda one: one.at)
            self.timers.remove(first)
            self.now = max(self.now, first.at)
            first.call()
        self.now = until

    @property
    def armed(self) -> int:
        return sum(not timer.cancelled for timer in self.timers)


class NotingTarget:
    """Notes when it was due."""

    def __init__(self, loop: FakeLoop) -> None:
        self.loop = loop
        self.times: list[float] = []

    def due(self) -> None:
        self.times.append(self.loop.now)


def a_wheel() -> tuple[FakeLoop, TimerWheel]:
    loop = FakeLoop()
    return loop, TimerWheel(cast("asyncio.AbstractEventLoop", loop))


@pytest.mark.parametrize("delay_s", [0.0, 0.001, 0.02, 0.15, 0.1999, 3.8])
def test_it_is_never_early_and_at_most_a_tick_late(delay_s: float) -> None:
    loop, wheel = a_wheel()
    waiting = NotingTarget(loop)
    wheel.put(waiting, loop.now + delay_s)
    loop.advance(10)
    (late,) = (at - 1_000 - delay_s for at in waiting.times)
    assert 0 <= late <= TICK_S + 1e-9


def test_an_earlier_one_is_not_kept_by_a_later_one() -> None:
    loop, wheel = a_wheel()
    later, earlier = NotingTarget(loop), NotingTarget(loop)
    wheel.put(later, loop.now + 3)
    wheel.put(earlier, loop.now + 1)
    loop.advance(2)
    assert (len(earlier.times), len(later.times)) == (1, 0)
    loop.advance(2)
    assert (len(earlier.times), len(later.times)) == (1, 1)


def test_what_is_taken_out_is_not_called() -> None:
    loop, wheel = a_wheel()
    waiting = NotingTarget(loop)
    wheel.put(waiting, loop.now + 1).pop(waiting)
    assert len(wheel) == 0
    loop.advance(10)
    assert waiting.times == []


def test_many_cost_one_timer_of_the_loop() -> None:
    loop, wheel = a_wheel()
    waiting = [NotingTarget(loop) for _ in range(1_000)]
    for one in waiting:
        wheel.put(one, loop.now + 1)
    assert loop.armed == 1
    loop.advance(2)
    assert sum(len(one.times) for one in waiting) == 1_000
    assert loop.armed == 0


def test_one_that_raises_takes_no_other_along() -> None:
    class Broken:
        def due(self) -> None:
            raise ValueError

    loop, wheel = a_wheel()
    waiting = NotingTarget(loop)
    wheel.put(Broken(), loop.now + 1)
    wheel.put(waiting, loop.now + 1)
    loop.advance(2)
    assert (len(waiting.times), len(loop.raised)) == (1, 1)


def test_after_closing_nothing_is_called() -> None:
    loop, wheel = a_wheel()
    waiting = NotingTarget(loop)
    wheel.put(waiting, loop.now + 1)
    wheel.close()
    loop.advance(2)
    assert (waiting.times, loop.armed) == ([], 0)


@pytest.mark.parametrize("run", [asyncio.run, uvloop.run])
def test_it_turns_on_a_real_loop(run: Callable[..., None]) -> None:
    async def main() -> None:
        loop = asyncio.get_running_loop()
        wheel, done = TimerWheel(loop), asyncio.Event()

        class Setting:
            def due(self) -> None:
                done.set()

        wheel.put(Setting(), wheel.now() + 0.03)
        await asyncio.wait_for(done.wait(), 10)

    run(main())


QUESTION = UpstreamQuestion(wire("www.example.com"), dns.rdatatype.A, do=False, cd=False)


class Twin:
    """The twin that is tested."""

    module: ModuleType


@pytest.fixture(autouse=True, params=both("pool"))
def _twin(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Twin, "module", request.param, raising=False)


sharing = pytest.mark.parametrize("_twin", [native("pool")], indirect=True)
"""For a test of what shares sockets between questions."""
own_sockets = pytest.mark.parametrize("_twin", [plain("pool")], indirect=True)
"""For a test of what has a socket for each question."""


def receive(opened: Any) -> None:
    """Receive what has come, without a turn of the loop."""
    if Twin.module is not reference:
        opened._ready()
    else:
        for attempt in list(opened._waiting):
            attempt.receive()


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
    """A silent server; ``ports`` are those that asked, in order."""

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
    counters: Counter[str] | None = None,
) -> None:
    async def main() -> None:
        wheel = TimerWheel(asyncio.get_running_loop())
        counted = Counter() if counters is None else counters
        opened: SocketPool = Twin.module.SocketPool(wheel, RandomNumbers(), counted)
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
def test_an_answer_reaches_its_question(upstream: FakeUpstream, run: Callable[..., None]) -> None:
    async def test(opened: SocketPool, _: TimerWheel) -> None:
        member = ServerHealth(UpstreamServer(upstream.address, upstream.port))
        attempts = [ask(opened, member) for _ in range(30)]
        for attempt in attempts:
            assert isinstance(attempt.waiter, Waiting)
            await attempt.waiter.done.wait()

    with_a_pool(test, run)


@sharing
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


@sharing
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


@sharing
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


@sharing
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


@sharing
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


def test_where_all_sockets_wait_the_next_question_is_refused(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(reference, "MOST_SOCKETS", 5)
    monkeypatch.setattr(reference, "QUESTIONS_A_SOCKET", 1)

    async def test(opened: SocketPool, _: TimerWheel) -> None:
        sink = Sink()
        first, *_others = (ask(opened, sink.member) for _ in range(5))
        with pytest.raises(UpstreamUnreachableError, match="all 5 sockets"):
            ask(opened, sink.member)
        first.fail()
        first.close()
        ask(opened, sink.member)
        assert (len(opened), len(set(sink.ports()))) == (5, 6)
        sink.socket.close()

    with_a_pool(test)


@own_sockets
def test_each_question_of_the_plain_pool_has_a_socket_and_an_id_of_its_own() -> None:
    async def test(opened: SocketPool, _: TimerWheel) -> None:
        sink = Sink()
        ports: list[int] = []
        for _number in range(3_000):
            ask(opened, sink.member).close()
            ports += sink.ports()
            assert len(opened) == 0
        sink.socket.close()
        assert len(set(ports)) > 0.9 * distinct_expected(3_000, 55_536)
        assert abs(serial_correlation(ports)) < 0.1  # 5 standard errors

    with_a_pool(test)


@own_sockets
def test_where_the_loop_watches_no_more_sockets_none_stays_open() -> None:
    async def test(opened: Any, _: TimerWheel) -> None:
        def refuse(*_: object) -> None:
            raise OSError(errno.ENOSPC, "No space left on device")

        sink, before = Sink(), open_sockets()
        opened._loop = SimpleNamespace(add_reader=refuse)
        with pytest.raises(UpstreamUnreachableError, match="No space"):
            ask(opened, sink.member)
        assert (len(opened), open_sockets()) == (0, before)
        sink.socket.close()

    with_a_pool(test)


@pytest.mark.parametrize("run", [asyncio.run, uvloop.run])
def test_what_answers_nothing_or_is_an_icmp_error_ends_nothing(run: Callable[..., None]) -> None:
    counters: Counter[str] = Counter()

    async def test(opened: SocketPool, _: TimerWheel) -> None:
        sink, waiter = Sink(), Noting()
        attempt = opened.ask(waiter, sink.member, QUESTION, 0.0, edns=True, exact=False)
        query, source = sink.socket.recvfrom(4096)
        good = a_response(query, "www.example.com 60 A 198.18.0.1")
        other_id = (int.from_bytes(good[:2], "big") ^ 1).to_bytes(2, "big")
        for message in (b"", good[:1], other_id + good[2:], good[:-3]):
            sink.socket.sendto(message, source)
            receive(opened)
        assert waiter.events == ["mismatched"] * 4
        sink.socket.sendto(good, source)
        receive(opened)
        assert (waiter.events[4:], counters) == (["answered"], {"mismatched": 4})
        attempt.close()
        sink.socket.close()
        refused = Noting()
        attempt = opened.ask(refused, sink.member, QUESTION, 0.0, edns=True, exact=False)
        receive(opened)
        receive(opened)  # nothing has come: that is no error
        assert (refused.events, counters["icmp"]) == (["refused"], 1)
        attempt.fail()

    with_a_pool(test, run, counters)


class Refused(Waiting):
    """Sets another event at an ICMP error."""

    def __init__(self) -> None:
        super().__init__()
        self.at_an_error = asyncio.Event()

    def refused(self) -> None:
        self.at_an_error.set()


@own_sockets
@pytest.mark.parametrize("run", [asyncio.run, uvloop.run])
def test_after_an_icmp_error_the_answer_is_heard_all_the_same(run: Callable[..., None]) -> None:
    async def test(opened: SocketPool, _: TimerWheel) -> None:
        sink, waiter = Sink(), Refused()
        attempt = opened.ask(waiter, sink.member, QUESTION, 0.0, edns=True, exact=False)
        query, source = sink.socket.recvfrom(4096)
        server = sink.socket.getsockname()
        sink.socket.close()
        attempt.opened.send(b"?")  # no socket takes it: the kernel answers with an ICMP error
        await waiter.at_an_error.wait()
        with socket.socket(type=socket.SOCK_DGRAM) as again:
            again.bind(server)
            again.sendto(a_response(query, "www.example.com 60 A 198.18.0.1"), source)
            await waiter.done.wait()

    with_a_pool(test, run)


async def a_round_of_the_loop() -> None:
    """Let what is to be done soon be done."""
    for _ in range(2):
        await asyncio.sleep(0)


@sharing
def test_after_a_question_there_are_spare_sockets_by_which_the_next_go_out() -> None:
    async def test(opened: SocketPool, _: TimerWheel) -> None:
        sink = Sink()
        ask(opened, sink.member)
        assert len(opened) == 1
        await a_round_of_the_loop()
        assert len(opened) == 1 + reference.SPARES
        ports = sink.ports()
        spares = local_ports() - set(ports)
        for _number in range(reference.SPARES):
            ask(opened, sink.member)
        assert set(sink.ports()) - set(ports) <= spares
        assert len(opened) <= 1 + reference.SPARES
        await a_round_of_the_loop()
        assert len(opened) > 1 + reference.SPARES
        sink.socket.close()

    with_a_pool(test)


def local_ports() -> set[int]:
    """Return the ports of this process's UDP sockets."""
    found = set()
    for descriptor in descriptors_of_sockets():
        with socket.socket(fileno=os.dup(descriptor)) as held:
            if held.type == socket.SOCK_DGRAM and held.family == socket.AF_INET:
                found.add(held.getsockname()[1])
    return found


@sharing
def test_unused_spare_sockets_end_as_soon_as_the_others(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(reference, "LIFE_S", 0.05)

    async def test(opened: SocketPool, wheel: TimerWheel) -> None:
        sink = Sink()
        ask(opened, sink.member).close()
        await a_round_of_the_loop()
        assert len(opened) > 1
        while len(opened):
            await asyncio.sleep(0.01)
        while len(wheel):
            await asyncio.sleep(0.01)
        assert len(opened) == 0
        ask(opened, sink.member)
        assert len(sink.ports()) == 2
        sink.socket.close()

    with_a_pool(test)


@sharing
def test_spare_sockets_take_no_other_s_room(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(reference, "MOST_SOCKETS", 8)
    monkeypatch.setattr(reference, "QUESTIONS_A_SOCKET", 1)

    async def test(opened: SocketPool, _: TimerWheel) -> None:
        sink, other = Sink(), Sink()
        ask(opened, sink.member)
        ask(opened, sink.member)
        await a_round_of_the_loop()
        assert len(opened) == 4  # half of what there may be
        waiting = [ask(opened, other.member) for _ in range(6)]
        assert len(opened) == 8
        with pytest.raises(UpstreamUnreachableError, match="all 8 sockets"):
            ask(opened, other.member)
        await a_round_of_the_loop()
        assert len(opened) == 8
        assert len(waiting) == len(other.ports())
        sink.socket.close()
        other.socket.close()

    with_a_pool(test)


def test_without_a_spare_socket_only_the_next_question_fails(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(reference, "MOST_SOCKETS", 4)
    monkeypatch.setattr(reference, "QUESTIONS_A_SOCKET", 1)

    async def test(opened: SocketPool, _: TimerWheel) -> None:
        sink = Sink()
        before = resource.getrlimit(resource.RLIMIT_NOFILE)
        asyncio.get_running_loop().set_exception_handler(lambda *_: pytest.fail("it was called"))
        ask(opened, sink.member).fail()
        resource.setrlimit(resource.RLIMIT_NOFILE, (0, before[1]))
        try:
            await a_round_of_the_loop()
            with pytest.raises(UpstreamUnreachableError, match="Too many open files"):
                ask(opened, sink.member)
        finally:
            resource.setrlimit(resource.RLIMIT_NOFILE, before)
        assert len(opened) == 0
        for _number in range(4):
            ask(opened, sink.member)
        with pytest.raises(UpstreamUnreachableError, match="all 4 sockets"):
            ask(opened, sink.member)
        sink.socket.close()

    with_a_pool(test)


@sharing
def test_a_datagram_to_a_spare_socket_is_not_read() -> None:
    counters: Counter[str] = Counter()

    async def test(opened: SocketPool, _: TimerWheel) -> None:
        sink = Sink()
        asked = ask(opened, sink.member)
        (port,) = sink.ports()
        await a_round_of_the_loop()
        spares = local_ports() - {port, sink.socket.getsockname()[1]}
        assert len(spares) == reference.SPARES
        message = a_response(a_query("www.example.com"), "www.example.com 60 A 198.18.0.1")
        for spare in spares:
            sink.socket.sendto(message, ("127.0.0.1", spare))
        receive(opened)
        assert counters == {"unexpected": reference.SPARES}
        asked.close()
        sink.socket.close()

    with_a_pool(test, counters=counters)


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
    return {int(path.name) for path in paths}


@sharing
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


@pytest.mark.usefixtures("needs_ipv6")
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


def test_what_is_closed_asks_nothing_and_leaves_the_descriptors_of_others_alone() -> None:
    async def test(opened: SocketPool, _: TimerWheel) -> None:
        sink = Sink()
        opened.close()
        with select.epoll() as other:  # gets the number that has become free
            with pytest.raises(UpstreamUnreachableError, match="closed"):
                ask(opened, sink.member)
            assert other.poll(0) == []
        assert (len(opened), sink.ports()) == (0, [])
        sink.socket.close()

    with_a_pool(test)


@sharing
def test_where_the_system_watches_no_more_sockets_none_stays_open() -> None:
    async def test(opened: SocketPool, _: TimerWheel) -> None:
        sink = Sink()
        before = open_sockets()
        own = max(one for one in descriptors_of("anon_inode:[eventpoll]"))
        with Path("/dev/null").open(encoding="ascii") as unwatchable:
            os.dup2(unwatchable.fileno(), own, inheritable=False)
        with pytest.raises(UpstreamUnreachableError):
            ask(opened, sink.member)
        assert (len(opened), open_sockets()) == (0, before)
        sink.socket.close()

    with_a_pool(test, asyncio.run)


def descriptors_of(kind: str) -> set[int]:
    found = set()
    for one in list(Path("/proc/self/fd").iterdir()):
        with contextlib.suppress(FileNotFoundError):  # the one by which this is read
            if str(one.readlink()) == kind:
                found.add(int(one.name))
    return found


class OneNumber(RandomNumbers):
    """Always returns the same, which is a port as well."""

    def __init__(self, number: int) -> None:
        super().__init__()
        self.number = number

    def uint16(self) -> int:
        return self.number

    def block(self) -> bytes:
        return self.number.to_bytes(2, sys.byteorder) * 2_048


def with_one_number(number: int, test: Callable[[SocketPool, Counter[str]], None]) -> None:
    async def main() -> None:
        wheel, counters = TimerWheel(asyncio.get_running_loop()), Counter[str]()
        opened: SocketPool = Twin.module.SocketPool(wheel, OneNumber(number), counters)
        before = open_sockets()
        test(opened, counters)
        assert (len(opened), open_sockets()) == (0, before)
        wheel.close()
        opened.close()

    asyncio.run(main())


def test_where_every_port_is_taken_the_server_is_unreachable() -> None:
    def test(opened: SocketPool, _: Counter[str]) -> None:
        with pytest.raises(UpstreamUnreachableError, match="in use"):
            ask(opened, ServerHealth(UpstreamServer("127.0.0.1")))

    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as taken:
        taken.bind(("0.0.0.0", 0))
        with_one_number(taken.getsockname()[1], test)


@pytest.fixture
def while_connecting() -> Iterator[list[Callable[[], object]]]:
    """What is put in here is called whenever a socket is bound and not yet connected."""
    calls: list[Callable[[], object]] = []

    def hook(event: str, _: object) -> None:
        if event == "socket.connect":
            for call in calls:
                call()

    sys.addaudithook(hook)  # nothing takes it away again
    yield calls
    calls.clear()


@pytest.mark.parametrize("count", [1, 15, 16, 40])
def test_what_came_before_the_socket_was_connected_is_not_heard(
    count: int, while_connecting: list[Callable[[], object]]
) -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    sink, forger = Sink(), socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    sent: list[int] = []

    def forge() -> None:
        sent.extend(forger.sendto(bytes(12), ("127.0.0.1", port)) for _ in range(count))

    def test(opened: SocketPool, counters: Counter[str]) -> None:
        while_connecting.append(forge)
        if count >= 16:
            with pytest.raises(UpstreamUnreachableError, match="a flood"):
                ask(opened, sink.member)
        else:
            attempt = ask(opened, sink.member)
            receive(opened)
            attempt.fail()
        assert (len(sent), counters) == (count, {})

    with_one_number(port, test)
    forger.close()
    sink.socket.close()


class Noting:
    """Notes its events; does something when it is answered."""

    def __init__(self, then: Callable[[], None] = lambda: None) -> None:
        self.events: list[str] = []
        self._then = then

    def answered(self, attempt: UdpAttempt, response: ParsedResponse) -> None:  # noqa: ARG002
        self.events.append("answered")
        self._then()

    def mismatched(self) -> None:
        self.events.append("mismatched")

    def mismatched_in_case(self, attempt: UdpAttempt) -> None:  # noqa: ARG002
        self.events.append("in case")

    def refused(self) -> None:
        self.events.append("refused")


def answer_all(sink: Sink) -> None:
    """Answer everything that was asked of a sink."""
    with contextlib.suppress(BlockingIOError):
        while True:
            query, source = sink.socket.recvfrom(4096)
            sink.socket.sendto(a_response(query, "www.example.com 60 A 198.18.0.1"), source)


@sharing
def test_while_it_is_received_no_socket_is_closed_whose_number_another_could_get() -> None:
    async def test(opened: SocketPool, _: TimerWheel) -> None:
        sinks = [Sink() for _ in range(3)]
        later = Noting()
        attempts: list[UdpAttempt] = []

        def ask_of(sink: Sink, waiter: Noting) -> None:
            member = sink.member
            attempts.append(opened.ask(waiter, member, QUESTION, 0.0, edns=True, exact=False))

        def close_the_other_and_ask_again() -> None:
            before = descriptors_of_sockets()
            for attempt in attempts:
                attempt.fail()  # nothing, for the one that is answered
            assert before == descriptors_of_sockets()
            ask_of(sinks[2], later)

        waiters = [Noting(close_the_other_and_ask_again) for _ in range(2)]
        for sink, waiter in zip(sinks, waiters, strict=False):
            ask_of(sink, waiter)
        answer_all(sinks[0])
        answer_all(sinks[1])
        open_meanwhile = len(opened)
        receive(opened)
        assert sorted(one.events for one in waiters) == [[], ["answered"]]
        assert later.events == []
        assert len(opened) == open_meanwhile  # with the last one's, without the other's
        answer_all(sinks[2])
        receive(opened)
        assert later.events == ["answered"]
        for sink in sinks:
            sink.socket.close()

    with_a_pool(test)


@sharing
def test_what_is_to_be_done_soon_is_done_when_all_was_received_and_before_any_is_closed(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(reference, "QUESTIONS_A_SOCKET", 1)

    async def test(opened: SocketPool, _: TimerWheel) -> None:
        sink, meanwhile, afterwards = Sink(), list[int](), list[tuple[int, int]]()

        def count() -> int:
            return sum(len(waiter.events) for waiter in waiters)

        def answered() -> None:
            meanwhile.append(len(descriptors_of_sockets()))
            given_up.fail()
            opened.soon(lambda: afterwards.append((count(), len(descriptors_of_sockets()))))

        waiters = [Noting(answered) for _ in range(2)]
        for waiter in waiters:
            opened.ask(waiter, sink.member, QUESTION, 0.0, edns=True, exact=False)
        answer_all(sink)
        given_up = ask(opened, sink.member)
        before = len(descriptors_of_sockets())
        receive(opened)
        assert meanwhile == [before] * 2
        assert afterwards == [(2, before)] * 2
        assert len(descriptors_of_sockets()) == before - 3
        sink.socket.close()

    with_a_pool(test)


def test_ended_sockets_make_room_for_answered_questions(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(reference, "QUESTIONS_A_SOCKET", 1)
    monkeypatch.setattr(reference, "MOST_SOCKETS", 2)

    async def test(opened: SocketPool, _: TimerWheel) -> None:
        sink, again = Sink(), list[object]()

        def ask_again_soon() -> None:
            opened.soon(lambda: again.append(ask(opened, sink.member)))

        for _number in range(2):
            waiter = Noting(ask_again_soon)
            opened.ask(waiter, sink.member, QUESTION, 0.0, edns=True, exact=False)
        answer_all(sink)
        receive(opened)
        await a_round_of_the_loop()
        assert len(again) == len(opened) == 2
        sink.socket.close()

    with_a_pool(test)


@sharing
def test_a_spare_socket_that_is_given_up_carries_nothing_more(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(reference, "MOST_SOCKETS", 8)

    async def test(opened: SocketPool, _: TimerWheel) -> None:
        sink, other = Sink(), Sink()
        later = [Noting(), Noting()]

        def ask_both() -> None:  # at the limit, while sockets are not closed at once
            for waiter, server in zip(later, (other, sink), strict=True):
                opened.ask(waiter, server.member, QUESTION, 0.0, edns=True, exact=False)

        opened.ask(Noting(ask_both), sink.member, QUESTION, 0.0, edns=True, exact=False)
        await a_round_of_the_loop()  # the sink has spare sockets
        while len(opened) < 8:
            ask(opened, other.member)
        answer_all(sink)
        receive(opened)
        answer_all(sink)
        other.ports()
        receive(opened)
        assert [one.events for one in later] == [[], ["answered"]]
        sink.socket.close()
        other.socket.close()

    with_a_pool(test)


@pytest.mark.parametrize("run", [asyncio.run, uvloop.run])
def test_soon_is_the_next_turn_where_nothing_is_received(run: Callable[..., None]) -> None:
    async def test(opened: SocketPool, _: TimerWheel) -> None:
        called = list[int]()
        opened.soon(lambda: called.append(1))
        assert called == []
        await asyncio.sleep(0)
        assert called == [1]

    with_a_pool(test, run)


def test_one_that_fails_soon_is_reported_and_keeps_neither_others_nor_sockets() -> None:
    def fail() -> None:
        raise RuntimeError("a mistake")

    async def test(opened: SocketPool, _: TimerWheel) -> None:
        said, called = list[str](), list[int]()
        asyncio.get_running_loop().set_exception_handler(
            lambda _, context: said.append(str(context["exception"]))
        )
        sink = Sink()

        def twice() -> None:
            attempt.fail()
            opened.soon(fail)
            opened.soon(lambda: called.append(1))

        waiter = Noting(twice)
        attempt = opened.ask(waiter, sink.member, QUESTION, 0.0, edns=True, exact=False)
        answer_all(sink)
        receive(opened)
        await a_round_of_the_loop()
        assert (said, called) == (["a mistake"], [1])
        assert attempt is not None
        sink.socket.close()

    with_a_pool(test)


@pytest.mark.parametrize("run", [asyncio.run, uvloop.run])
def test_one_that_fails_when_it_is_answered_takes_no_other_along(run: Callable[..., None]) -> None:
    def fail() -> None:
        raise RuntimeError("a mistake")

    async def test(opened: SocketPool, _: TimerWheel) -> None:
        said: list[str] = []
        asyncio.get_running_loop().set_exception_handler(
            lambda _, context: said.append(str(context["exception"]))
        )
        sink = Sink()
        waiters = [Noting(fail) for _ in range(5)]
        attempts = [
            opened.ask(waiter, sink.member, QUESTION, 0.0, edns=True, exact=False)
            for waiter in waiters
        ]
        answer_all(sink)
        while len(said) < len(waiters):
            await asyncio.sleep(0.001)
        assert [waiter.events for waiter in waiters] == [["answered"]] * 5
        for attempt in attempts:
            attempt.fail()
        sink.socket.close()

    with_a_pool(test, run)
