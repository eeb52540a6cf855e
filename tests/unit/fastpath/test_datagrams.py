# SPDX-License-Identifier: Apache-2.0
"""Datagrams in, answers out, on real sockets; both listeners pass the same tests."""

from __future__ import annotations

import select
import socket
from contextlib import contextmanager
from importlib import import_module
from typing import TYPE_CHECKING, Any

import dns.flags
import dns.message
import pytest

from filterd.daemon.worker_sums import summed
from filterd.fastpath import datagrams as reference
from filterd.fastpath.datagrams import Traffic
from filterd.fastpath.pktinfo import bind
from filterd.policy.model import ListenAddress
from filterd.wire import formerr, notimp
from tests.support import malformed, needs
from tests.support.newcomers import Newcomers
from tests.support.twins import MODULES, both
from tests.support.wire import OPT, QUESTION, a_message, a_query, a_record

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from types import ModuleType


CLIENT, OTHER, FAULTY = "127.0.1.1", "127.0.1.2", "127.0.1.3"
SERVER = "127.77.3.1"  # where the datagrams of no other test arrive
IP_PKTINFO = 8
MOST_OF_ANYBODY = 212_992
"""Octets of a receive buffer that a kernel gives to any user who asks for them."""
WITHIN_S = 10.0
NOW = 1_000.0


@pytest.fixture(params=both("datagrams"))
def module(request: pytest.FixtureRequest) -> ModuleType:
    twin: ModuleType = request.param
    return twin


class Listening:
    """A socket whose datagrams a twin moves, and clients that send it some."""

    def __init__(
        self,
        module: ModuleType,
        listen: str = SERVER,
        *,
        rate: int = 1_000_000,
        most_waiting: int = reference.MOST_WAITING,
        fast: Fast | None = None,
    ) -> None:
        self.socket = bind(ListenAddress(listen, 0), socket.SOCK_DGRAM)
        self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, MOST_OF_ANYBODY)
        tables = MODULES["limiter"][0 if module is reference else -1]
        self.table: Any = tables.SourceTable(bytes(16), rate, rate)
        self.denied: set[str] = set()
        self.datagrams: Any = module.Datagrams(
            self.socket, self.table, self._permits, most_waiting, fast
        )
        self.clients: dict[str, socket.socket] = {}
        self.on_permit: Callable[[], object] = int
        self.now = NOW

    def _permits(self, address: str, interface: int) -> bool:
        assert address != FAULTY
        self.on_permit()
        return address not in self.denied and interface >= 0

    def client(self, address: str = CLIENT) -> socket.socket:
        if address not in self.clients:
            family = socket.AF_INET6 if ":" in address else socket.AF_INET
            self.clients[address] = opened = socket.socket(family, socket.SOCK_DGRAM)
            opened.settimeout(WITHIN_S)
            opened.bind((address, 0))
        return self.clients[address]

    def send(self, *messages: bytes, source: str = CLIENT, server: str = "") -> None:
        address, port = self.socket.getsockname()[:2]
        for message in messages:
            self.client(source).sendto(message, (server or address, port))

    def receive(self) -> bool:
        """Let it take in what has come."""
        select.select([self.socket], [], [], WITHIN_S)
        received: bool = self.datagrams.receive(self.now)
        return received

    def taken(self, most: int = 100) -> list[bytes]:
        return [one.message for one in self.datagrams.take(most, self.now)]

    def heard(self, address: str = CLIENT) -> list[bytes]:
        """Return what a client has been sent; loopback delivers at once."""
        heard = []
        self.client(address).setblocking(False)
        while True:
            try:
                heard.append(self.client(address).recv(4096))
            except BlockingIOError:
                return heard

    def close(self) -> None:
        for opened in (self.socket, *self.clients.values()):
            opened.close()


@pytest.fixture
def listening(module: ModuleType) -> Iterator[Listening]:
    listening = Listening(module)
    yield listening
    listening.close()


@contextmanager
def newcomers(
    listening: Listening, most: int, also: Callable[[], object] = int
) -> Iterator[Newcomers]:
    """Let clients ask, more with each that is let in; ``also`` happens with each that asks."""
    with Newcomers(listening.socket.getsockname(), a_query(), most) as crowd:

        def more() -> None:
            crowd.come()
            also()

        listening.on_permit = more
        crowd.begin()
        yield crowd
        listening.on_permit = int


def counted(listening: Listening) -> dict[str, int]:
    """Return the counters that are not 0."""
    return {name: number for name, number in listening.datagrams.counters.items() if number}


def test_a_datagram_has_its_message_its_source_and_its_interface(listening: Listening) -> None:
    message = a_query("www.example.com")
    listening.send(message)
    assert listening.receive()
    (datagram,) = listening.datagrams.take(10, listening.now)
    loopback = socket.if_nametoindex("lo")
    assert (datagram.message, datagram.address) == (message, CLIENT)
    assert (datagram.interface, datagram.received_at) == (loopback, listening.now)
    assert counted(listening) == {"received": 1}


@pytest.mark.parametrize(
    ("bound", "asked", "source"),
    [
        (SERVER, SERVER, CLIENT),
        ("0.0.0.0", "127.77.3.9", CLIENT),
        pytest.param("::1", "::1", "::1", marks=needs.IPV6),
        pytest.param("::", "::1", "::1", marks=needs.IPV6),
    ],
)
def test_an_answer_leaves_from_where_it_was_asked(
    module: ModuleType, bound: str, asked: str, source: str
) -> None:
    listening = Listening(module, bound)
    listening.send(a_query(), source=source, server=asked)
    listening.receive()
    (datagram,) = listening.datagrams.take(10, listening.now)
    assert datagram.address == source
    listening.datagrams.answer(datagram, b"an answer")
    listening.datagrams.flush()
    answer, sender = listening.client(source).recvfrom(100)
    assert (answer, sender[0]) == (b"an answer", asked)
    listening.close()


def test_control_without_the_way_back_it_would_leave_from_another_address(
    module: ModuleType,
) -> None:
    listening = Listening(module, "0.0.0.0")
    listening.socket.setsockopt(socket.IPPROTO_IP, IP_PKTINFO, 0)
    listening.send(a_query(), server="127.77.3.9")
    listening.receive()
    (datagram,) = listening.datagrams.take(10, listening.now)
    assert datagram.interface == 0
    listening.datagrams.answer(datagram, b"an answer")
    listening.datagrams.flush()
    assert listening.client().recvfrom(100)[1][0] == "127.0.0.1"
    listening.close()


UNANSWERED = {
    "nothing": b"",
    "eleven octets": a_message(QUESTION)[:11],
    "a response": a_message(QUESTION, flags=0x8180),
    "more than 4096 octets": a_message(QUESTION + bytes(5000)),
}


@pytest.mark.parametrize("message", UNANSWERED.values(), ids=UNANSWERED.keys())
def test_a_datagram_without_an_answer_goes_no_further(listening: Listening, message: bytes) -> None:
    listening.send(message)
    listening.receive()
    assert counted(listening) == {"received": 1, "malformed": 1}
    assert (len(listening.datagrams), listening.heard()) == (0, [])


def test_a_query_of_4096_octets_does(listening: Listening) -> None:
    listening.send(a_message(QUESTION).ljust(4096, b"\0"))
    listening.receive()
    assert [len(one) for one in listening.taken()] == [4096]


def test_a_broadcast_goes_no_further(module: ModuleType) -> None:
    listening = Listening(module, "0.0.0.0")
    listening.client().setsockopt(socket.SOL_SOCKET, socket.SO_BROADCAST, 1)
    listening.send(a_query(), server="127.255.255.255")
    listening.receive()
    assert counted(listening) == {"received": 1, "malformed": 1}
    listening.close()


@pytest.mark.usefixtures("needs_low_ports")
def test_a_reflecting_port_gets_silence(listening: Listening) -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as echo:
        echo.bind((CLIENT, 7))
        echo.sendto(a_query(), listening.socket.getsockname())
        listening.receive()
    assert counted(listening) == {"received": 1, "malformed": 1}


def test_a_batch_keeps_its_order(listening: Listening) -> None:
    messages = [a_query(message_id=number) for number in range(200)]
    listening.send(*messages)
    assert listening.receive()
    assert len(listening.datagrams) == 200
    assert listening.taken(150) + listening.taken(150) == messages


def test_no_more_than_a_turn_s_worth_is_taken_in_at_once(listening: Listening) -> None:
    with newcomers(listening, reference.MOST_A_TURN + 10):
        assert not listening.receive()
        assert listening.datagrams.counters["received"] == reference.MOST_A_TURN
        assert listening.receive()
        assert listening.datagrams.counters["received"] == reference.MOST_A_TURN + 10


def test_several_answers_leave_together(listening: Listening) -> None:
    listening.send(*[a_query()] * 150)
    listening.receive()
    expected = [bytes([number]) * number for number in range(150)]
    for number, datagram in enumerate(listening.datagrams.take(200, listening.now)):
        listening.datagrams.answer(datagram, expected[number])
    assert listening.heard() == []
    listening.datagrams.flush()
    assert listening.heard() == expected


def test_one_answer_that_cannot_be_sent_does_not_keep_the_others(listening: Listening) -> None:
    listening.send(*[a_query()] * 3)
    listening.receive()
    for octets, datagram in zip((1, 70_000, 2), listening.datagrams.take(3, 0), strict=True):
        listening.datagrams.answer(datagram, bytes(octets))
    listening.datagrams.flush()
    assert [len(one) for one in listening.heard()] == [1, 2]
    assert counted(listening) == {"received": 3, "unsent": 1}


def test_after_the_close_nothing_is_received_or_sent(listening: Listening) -> None:
    listening.send(a_query(), a_query())
    listening.receive()
    (datagram,) = listening.datagrams.take(1, listening.now)
    listening.datagrams.answer(datagram, b"late")
    listening.socket.close()
    listening.datagrams.flush()
    assert listening.heard() == []
    assert listening.datagrams.receive(listening.now)
    assert counted(listening) == {"received": 2, "unsent": 1}


def test_over_the_rate_a_client_is_sent_to_tcp(module: ModuleType) -> None:
    listening = Listening(module, rate=5)
    messages = [a_query("Www.Example.com", message_id=number) for number in range(20)]
    listening.send(*messages)
    listening.receive()
    assert listening.taken() == messages[:5]
    hints = [dns.message.from_wire(one) for one in listening.heard()]
    assert [hint.id for hint in hints] == list(range(5, 20))
    for hint in hints:
        assert hint.flags == dns.flags.QR | dns.flags.TC | dns.flags.RA | dns.flags.RD
        assert hint.question[0].name.to_text() == "Www.Example.com."
    assert counted(listening) == {"received": 20, "truncated_rate": 15}
    listening.close()


def test_a_hint_leaves_from_where_it_was_asked(module: ModuleType) -> None:
    listening = Listening(module, "0.0.0.0", rate=1)
    listening.send(a_query(), a_query(), server="127.77.3.9")
    listening.receive()
    assert listening.client().recvfrom(100)[1][0] == "127.77.3.9"
    listening.close()


def test_a_client_without_permission_gets_nothing_even_over_the_rate(module: ModuleType) -> None:
    listening = Listening(module, rate=5)
    listening.denied = {CLIENT}
    listening.send(*[a_query()] * 20)
    listening.receive()
    assert (listening.taken(), listening.heard()) == ([], [])
    assert counted(listening) == {"received": 20, "denied": 20}
    listening.close()


def test_where_more_come_than_hints_can_be_sent_the_rest_gets_silence(module: ModuleType) -> None:
    listening = Listening(module, rate=1)
    listening.send(a_query())
    listening.receive()
    over_the_rate = reference.MOST_HINTS_A_TURN + 10
    with newcomers(listening, over_the_rate // 2, lambda: listening.send(*[a_query()] * 2)):
        assert listening.receive()
    assert listening.datagrams.counters["truncated_rate"] == reference.MOST_HINTS_A_TURN
    assert listening.datagrams.counters["dropped_rate"] == 10
    listening.send(a_query())
    listening.receive()
    assert listening.datagrams.counters["truncated_rate"] == reference.MOST_HINTS_A_TURN + 1
    listening.close()


def test_the_known_are_served_before_newcomers(listening: Listening) -> None:
    listening.send(b"\0\0known before.", source=OTHER)
    listening.receive()
    assert len(listening.taken()) == 1
    listening.now += 10
    listening.send(b"\0\0a newcomer...")
    listening.send(b"\0\0known before.", source=OTHER)
    listening.receive()
    assert [one[2:7] for one in listening.taken()] == [b"known", b"a new"]


def test_the_known_do_not_starve_newcomers(listening: Listening) -> None:
    listening.table.prove(socket.inet_aton(OTHER), 0, listening.now)
    listening.send(*[b"\0\0known before."] * 100, source=OTHER)
    listening.send(*[b"\0\0a newcomer..."] * 100)
    listening.receive()
    taken = [one[2:7] for one in listening.taken(most=64)]
    assert taken == [b"known"] * 56 + [b"a new"] * 8


def test_when_newcomers_are_too_many_they_get_a_hint_and_the_known_are_served(
    module: ModuleType,
) -> None:
    listening = Listening(module, most_waiting=3)
    listening.send(a_query(), source=OTHER)
    listening.receive()
    assert len(listening.taken()) == 1
    listening.now += 10
    newcomers = [f"127.0.2.{number}" for number in range(1, 9)]
    for source in newcomers:
        listening.send(a_query(), source=source)
    listening.send(a_query(), source=OTHER)
    listening.receive()
    assert len(listening.taken()) == 3 + 1
    assert [newcomer for newcomer in newcomers if listening.heard(newcomer)] == newcomers[3:]
    assert counted(listening) == {"received": 10, "truncated_overload": 5}
    assert listening.table.is_overloaded(listening.now)
    listening.close()


def test_a_known_source_that_asks_too_much_at_once_gets_a_hint(module: ModuleType) -> None:
    listening = Listening(module, most_waiting=3)
    listening.table.prove(socket.inet_aton(CLIENT), 0, listening.now)
    listening.send(*[a_query()] * 5)
    listening.receive()
    assert len(listening.taken()) == 3
    assert counted(listening) == {"received": 5, "truncated_rate": 2}
    assert not listening.table.is_overloaded(listening.now)
    listening.close()


def test_a_line_is_bounded_in_octets_too(module: ModuleType) -> None:
    listening = Listening(module)
    large = a_message(QUESTION).ljust(4096, b"\0")
    for _ in range(60):
        listening.send(*[large] * 20)  # the kernel may hold no more of these
        listening.receive()
    assert len(listening.datagrams) == 1024
    assert listening.datagrams.counters["truncated_overload"] == 60 * 20 - 1024
    listening.close()


def test_what_has_waited_too_long_is_dropped(listening: Listening) -> None:
    listening.send(a_query())
    listening.receive()
    listening.now += reference.WAITS_AT_MOST_S + 0.1
    assert listening.taken() == []
    assert counted(listening) == {"received": 1, "dropped_overload": 1}


def test_a_fault_about_one_costs_no_other_in_the_batch(
    listening: Listening, caplog: pytest.LogCaptureFixture
) -> None:
    for source in (CLIENT, FAULTY, OTHER):
        listening.send(a_query(), source=source)
    listening.receive()
    assert len(listening.taken()) == 2
    assert counted(listening) == {"received": 3, "error": 1}
    assert "could not be taken in" in caplog.text


class Fast:
    """A fast path that knows one client and no answer, and the listener that asks it."""

    def __init__(self) -> None:
        self.module: Any = import_module("filterd.fastpath._datagrams")
        self.core: Any = import_module("filterd.fastpath._core").Core(bytes(16))
        self.core.at(NOW, NOW)
        interface, known = socket.if_nametoindex("lo"), self.core.add_group(0)
        self.core.learn(socket.inet_aton(CLIENT), interface, known, NOW + 60)
        self.counted = [0, 0]
        self.is_broken = False
        self.comes: list[Callable[[], None]] = []

    def refresh(self, now: float) -> None:  # noqa: ARG002 -- called for each batch
        """Nothing is another now; meanwhile more may come."""
        if self.comes:
            self.comes.pop(0)()

    def keep_house(self, _now: float) -> None:
        if self.is_broken:
            raise RuntimeError("a mistake of ours")

    def refused(self, malformed: int, notimp: int) -> None:
        self.counted[0] += malformed
        self.counted[1] += notimp


@pytest.fixture
def fast(needs_native: None) -> Fast:  # noqa: ARG001 -- it skips
    return Fast()


UPDATE = a_message(QUESTION, flags=0x2800)
QUERIES = [message for message, _ in malformed.QUERIES.values() if len(message) >= 12]


def test_what_is_no_query_is_refused_at_once(fast: Fast) -> None:
    listening = Listening(fast.module, fast=fast)
    listening.send(*QUERIES, UPDATE)
    listening.receive()
    assert listening.taken() == []
    assert listening.heard() == [*map(formerr, QUERIES), notimp(UPDATE)]
    assert fast.counted == [len(QUERIES), 1]
    assert counted(listening) == {"received": len(QUERIES) + 1}
    listening.close()


def test_what_is_a_query_is_not_refused(fast: Fast) -> None:
    signed = a_message(QUESTION + OPT + a_record(b"", rtype=250), arcount=2)
    queries = [a_query(), a_query(qclass="CH"), a_message(QUESTION, flags=0x0760), signed]
    listening = Listening(fast.module, fast=fast)
    listening.send(*queries)
    listening.receive()
    assert (listening.taken(), listening.heard(), fast.counted) == (queries, [], [0, 0])
    listening.close()


@pytest.mark.parametrize("message", [QUERIES[0], UPDATE])
def test_whether_a_stranger_is_refused_is_the_chain_s_to_say(fast: Fast, message: bytes) -> None:
    listening = Listening(fast.module, fast=fast)
    listening.send(message, source=OTHER)
    listening.receive()
    assert (listening.taken(), listening.heard(OTHER), fast.counted) == ([message], [], [0, 0])
    listening.close()


def test_a_client_without_permission_is_not_refused_either(fast: Fast) -> None:
    listening = Listening(fast.module, fast=fast)
    listening.denied = {CLIENT}
    listening.send(QUERIES[0], UPDATE)
    listening.receive()
    assert (listening.taken(), listening.heard(), fast.counted) == ([], [], [0, 0])
    assert counted(listening) == {"received": 2, "denied": 2}
    listening.close()


def test_refusals_count_for_the_rate(fast: Fast) -> None:
    listening = Listening(fast.module, rate=5, fast=fast)
    listening.send(*[QUERIES[0]] * 20)
    listening.receive()
    assert listening.heard() == [formerr(QUERIES[0])] * 5 + [fast.module.hint(QUERIES[0])] * 15
    assert fast.counted == [5, 0]
    listening.close()


HINTS = {
    "a query": (a_query("example.com", edns=False), 0x8380, True),
    "without RD": (a_query(rd=False), 0x8280, True),
    "with CD": (a_query(cd=True, ad=True), 0x8390, True),
    "with EDNS": (a_message(QUESTION + OPT, arcount=1), 0x8380, True),
    "another opcode": (a_message(QUESTION, flags=0x2800 | 0x0400), 0xAA80, True),
    "two questions": (a_message(QUESTION * 2, qdcount=2), 0x8380, False),
    "no question": (a_message(b"", qdcount=0), 0x8380, False),
    "a question cut short": (a_message(QUESTION[:-1]), 0x8380, False),
    "a pointer": (a_message(b"\xc0\x0c\0\1\0\1"), 0x8380, False),
    "a label type of old": (a_message(b"\x40\0\1\0\1"), 0x8380, False),
    "a name without end": (a_message(b"\x3f" + b"a" * 63), 0x8380, False),
    "the root": (a_message(b"\0\0\2\0\1"), 0x8380, True),
    "255 octets": (
        a_message((b"\x3f" + b"a" * 63) * 3 + b"\x3d" + b"a" * 61 + b"\0\0\1\0\1"),
        0x8380,
        True,
    ),
    "256 octets": (
        a_message((b"\x3f" + b"a" * 63) * 3 + b"\x3e" + b"a" * 62 + b"\0\0\1\0\1"),
        0x8380,
        False,
    ),
}
"""A query, the flags of its hint, and whether the question is copied."""


@pytest.mark.parametrize(("query", "flags", "copied"), HINTS.values(), ids=HINTS.keys())
def test_a_hint_is_a_header_and_at_most_the_question(
    module: ModuleType, query: bytes, flags: int, copied: bool
) -> None:
    hint = module.hint(query)
    assert hint[:4] == query[:2] + flags.to_bytes(2)
    assert hint[4:12] == bytes((0, copied, 0, 0, 0, 0, 0, 0))
    assert query[12:].startswith(hint[12:])
    assert (len(hint) > 12) is copied
    assert len(hint) <= len(query)


def while_five_come(times: int) -> Listening:
    """Listen natively where five more come with each of so many batches."""
    fast = Fast()
    listening = Listening(fast.module, fast=fast)
    fast.comes = [lambda: listening.send(*[UPDATE] * 5)] * times
    return listening


@pytest.mark.parametrize(("at_first", "received"), [(5, 10), (3, 3)])
@pytest.mark.usefixtures("needs_native")
def test_a_datagram_that_comes_while_several_are_answered_is_taken_in_as_well(
    at_first: int, received: int
) -> None:
    listening = while_five_come(1)
    listening.send(*[UPDATE] * at_first)
    assert listening.receive()
    assert counted(listening)["received"] == received
    listening.close()


@pytest.mark.usefixtures("needs_native")
def test_a_datagram_in_the_queue_does_not_wait_for_later_ones() -> None:
    listening = while_five_come(1)
    listening.send(*[UPDATE] * 5, a_query("a.example"))
    assert listening.receive()
    assert counted(listening)["received"] == 6
    assert len(listening.datagrams) == 1
    listening.close()


@pytest.mark.usefixtures("needs_native")
def test_however_many_come_the_loop_goes_round_after_some_batches() -> None:
    listening = while_five_come(100)
    listening.send(*[UPDATE] * 5)
    assert listening.receive()
    assert counted(listening)["received"] == 8 * 5
    listening.close()


class Loop:
    """A loop whose only reader is called by hand."""

    def add_reader(self, opened: socket.socket, readable: Callable[[], None]) -> None:
        self.opened, self.readable = opened, readable

    def turn(self) -> None:
        select.select([self.opened], [], [], WITHIN_S)
        self.readable()


class Attended:
    """A socket attended by a loop, and how many waited whenever they were to be served."""

    def __init__(self, module: ModuleType, fast: Fast | None = None) -> None:
        self.listening, self.loop = Listening(module, fast=fast), Loop()
        self.waited: list[int] = []
        datagrams = self.listening.datagrams
        datagrams.attend(
            self.loop, lambda: self.listening.now, lambda: self.waited.append(len(datagrams))
        )

    def ask(self, *messages: bytes) -> None:
        self.listening.send(*messages)
        self.loop.turn()


def test_the_queue_is_to_be_served_whenever_something_has_come(module: ModuleType) -> None:
    attended = Attended(module)
    attended.ask(a_query("a.example"), a_query("b.example"))
    attended.ask(a_query("c.example"))
    assert attended.waited == [2, 3]
    attended.listening.close()


def test_the_queue_is_not_to_be_served_where_all_have_been_answered(fast: Fast) -> None:
    attended = Attended(fast.module, fast)
    attended.ask(UPDATE)
    assert attended.waited == []
    assert attended.listening.heard() == [notimp(UPDATE)]
    attended.listening.close()


def test_a_fault_in_taking_in_is_logged_and_the_queue_is_to_be_served(
    fast: Fast, caplog: pytest.LogCaptureFixture
) -> None:
    fast.is_broken = True
    attended = Attended(fast.module, fast)
    attended.ask(a_query("c.example"))
    assert attended.waited == [1]
    assert "a mistake of ours" in caplog.text
    attended.listening.close()


def test_replies_are_counted_by_code_and_time(module: ModuleType) -> None:
    attended = Attended(module)
    attended.ask(a_query("a.example"), a_query("b.example"))
    datagrams = attended.listening.datagrams
    first, second = datagrams.take(2, NOW)
    for late_s, datagram, rcode in ((0.0024, first, 3), (3.0, second, 2)):
        attended.listening.now = NOW + late_s
        datagrams.answer(datagram, bytes((0, 0, 0x80, 0x80 | rcode)) + bytes(8))
        datagrams.flush()
    traffic, chain = datagrams.traffic, datagrams.traffic["latency"]["chain"]
    assert traffic["requests"] == {"4": 2, "6": 0}
    assert traffic["rcodes"] == {"3": 1, "2": 1}
    assert {key for key, n in chain["buckets"].items() if n} == {"2.5", "inf"}
    assert chain["sum_us"] == pytest.approx(3_002_400, abs=2)
    attended.listening.close()


def test_replies_of_the_fast_path_are_counted_apart(fast: Fast) -> None:
    attended = Attended(fast.module, fast)
    fast.comes = [lambda: setattr(attended.listening, "now", NOW + 0.0002)]
    fast.core.at(NOW - 2, NOW - 2)  # so that it is refreshed
    attended.ask(UPDATE, UPDATE)
    traffic = attended.listening.datagrams.traffic
    assert traffic["rcodes"] == {"4": 2}
    assert traffic["latency"]["fast"]["buckets"]["0.25"] == 2
    assert traffic["latency"]["fast"]["sum_us"] == pytest.approx(400, abs=2)
    attended.listening.close()


NXDOMAIN = bytes((0, 0, 0x81, 0x83)) + bytes(8)


def test_counters_of_several_listeners_are_added_up() -> None:
    traffic = Traffic()
    traffic.asked("192.0.2.1")
    traffic.asked("2001:db8::1")
    traffic.replied(NXDOMAIN, 0.001)
    total = summed([traffic.to_plain(), traffic.to_plain()])
    assert total["requests"] == {"4": 2, "6": 2}
    assert total["rcodes"] == {"3": 2}
    assert total["latency"]["chain"]["buckets"]["1"] == 2
