# SPDX-License-Identifier: Apache-2.0
"""Whatever a forger sends, clients get the real answer and the cache stays clean.

The forger sends from the upstream's own address and port, and is faster than the
upstream: it lacks only the one thing that each test is about.
"""

from __future__ import annotations

import os
import socket
import struct
import subprocess
import sys
from array import array
from contextlib import contextmanager, suppress
from itertools import cycle
from typing import TYPE_CHECKING, Any

import dns.flags
import dns.message
import dns.rcode
import dns.rdatatype
import dns.rrset
import pytest

from filterd.base.errors import UpstreamUnreachableError, WireError
from filterd.policy.model import UpstreamServer
from filterd.upstream import exchange, randomness, socket_pool, transport_set
from filterd.upstream.exchange import Exchange
from filterd.upstream.randomness import RandomNumbers
from filterd.upstream.socket_pool import UdpAttempt
from filterd.wire import parse_response
from tests.support.forgeries import FORGERIES
from tests.support.serving import WITHIN_S, Serving, a_site
from tests.support.wire import a_query

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from filterd.lists.index import Index
    from tests.support.forgeries import Forge
    from tests.support.upstream import FakeUpstream

GOOD, FORGED = "198.18.0.1", "198.18.0.66"
TARGETS = int(os.environ.get("FILTERD_SPOOFED_TARGETS", "300"))
"""Names that are asked for during the flood; 10,000 keep it up for a minute."""

_AT_A_TIME = 50
_NAMES = (f"www.v{n:06x}.com" for n in cycle(range(16**6)))


def an_answer(query: dns.message.Message, address: str) -> dns.message.Message:
    response = dns.message.make_response(query, recursion_available=True)
    name = query.question[0].name
    response.answer.append(dns.rrset.from_text(name, 300, "IN", "A", address))
    return response


def addresses(response: dns.message.Message) -> list[str]:
    return [rdata.address for rrset in response.answer for rdata in rrset]


def mismatched(serving: Serving) -> int:
    return serving.run(lambda: serving.forwarder.counters["mismatched"])


def forge_first(upstream: FakeUpstream, forge: Forge, times: int) -> None:
    def respond(query: dns.message.Message) -> list[bytes]:
        forged = forge(an_answer(query, FORGED).to_wire())
        return [forged] * times + [an_answer(query, GOOD).to_wire()]

    upstream.respond = respond


@pytest.mark.usefixtures("patient")
@pytest.mark.parametrize(
    "variant", [one for one in FORGERIES if one != "more records than any answer has"]
)
def test_a_forgery_is_ignored_counted_and_not_kept(
    serving: Serving, upstream: FakeUpstream, variant: str
) -> None:
    forge_first(upstream, FORGERIES[variant], times=3)
    name = next(_NAMES)
    cold, warm = (addresses(serving.ask(name)) for _ in range(2))
    assert (cold, warm) == ([GOOD], [GOOD])
    assert mismatched(serving) == 3
    assert upstream.transports == {"udp": 1}


def _believing(self: UdpAttempt) -> None:
    """Take whatever comes for the answer, as CVE-2022-22846 did: no ID, no question, no QR."""
    try:
        response = parse_response(self.opened.recv(4096))
    except WireError:
        return
    self.close()
    self.waiter.answered(self, response)


BELIEVABLE = (
    "the next ID",
    "a query",
    "opcode NOTIFY",
    "another name",
    "another type",
    "class CH",
    "NXDOMAIN without a question",
)


@pytest.mark.parametrize("variant", BELIEVABLE)
def test_control_without_these_checks_it_would_be_believed(
    serving: Serving, upstream: FakeUpstream, monkeypatch: pytest.MonkeyPatch, variant: str
) -> None:
    monkeypatch.setattr(transport_set, "SocketPool", socket_pool.SocketPool)
    monkeypatch.setattr(UdpAttempt, "receive", _believing)
    forge_first(upstream, FORGERIES[variant], times=1)
    assert addresses(serving.ask(next(_NAMES))) != [GOOD]


@pytest.mark.parametrize("source", ["127.0.0.1", "127.0.0.2"])
def test_what_comes_from_elsewhere_is_never_seen(
    serving: Serving, upstream: FakeUpstream, source: str
) -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as elsewhere:
        elsewhere.bind((source, 0))
        from_elsewhere_first(upstream, elsewhere)
        assert addresses(serving.ask(next(_NAMES))) == [GOOD]


def from_elsewhere_first(upstream: FakeUpstream, elsewhere: socket.socket) -> None:
    def respond(query: dns.message.Message) -> dns.message.Message:
        destination = ("127.0.0.1", upstream.sources[-1])
        elsewhere.sendto(an_answer(query, FORGED).to_wire(), destination)
        return an_answer(query, GOOD)

    upstream.respond = respond


def test_control_on_an_unconnected_socket_it_would_be(
    serving: Serving, upstream: FakeUpstream, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Unconnected(socket.socket):
        def connect(self, address: Any) -> None:
            self.server = address

        def send(self, data: Any, flags: int = 0, /) -> int:
            return self.sendto(data, flags, self.server)

    class Sockets:
        AF_INET, SOCK_DGRAM, SOCK_NONBLOCK = (
            socket.AF_INET,
            socket.SOCK_DGRAM,
            socket.SOCK_NONBLOCK,
        )
        socket = Unconnected

    monkeypatch.setattr(transport_set, "SocketPool", socket_pool.SocketPool)
    monkeypatch.setattr(randomness, "socket", Sockets)
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as elsewhere:
        elsewhere.bind(("127.0.0.2", 0))
        from_elsewhere_first(upstream, elsewhere)
        assert addresses(serving.ask(next(_NAMES))) == [FORGED]


def guess_all_ids(upstream: FakeUpstream) -> None:
    """Let a forger know everything but the ID, and come upon it at the fiftieth guess."""

    def respond(query: dns.message.Message) -> list[bytes]:
        forged = an_answer(query, FORGED).to_wire()
        guesses = [(query.id + n & 0xFFFF).to_bytes(2) for n in range(50, -1, -1)]
        return [guess + forged[2:] for guess in guesses]

    upstream.respond = respond
    upstream.respond_by_tcp = lambda query: an_answer(query, GOOD)


@pytest.mark.usefixtures("patient")
def test_after_ten_guesses_the_question_goes_by_tcp(
    serving: Serving, upstream: FakeUpstream
) -> None:
    guess_all_ids(upstream)
    name = next(_NAMES)
    assert [addresses(serving.ask(name)) for _ in range(2)] == [[GOOD], [GOOD]]
    assert upstream.transports == {"udp": 1, "tcp": 1}


def test_control_without_that_a_patient_forger_would_succeed(
    serving: Serving, upstream: FakeUpstream, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(exchange, "_MISMATCHES_UNTIL_TCP", 1_000_000)
    guess_all_ids(upstream)
    assert addresses(serving.ask(next(_NAMES))) == [FORGED]


def _checksum(octets: bytes) -> int:
    total: int = sum(struct.unpack(f"!{len(octets) // 2}H", octets))
    total = (total >> 16) + (total & 0xFFFF)
    return ~(total + (total >> 16)) & 0xFFFF


def _unreachable(upstream: FakeUpstream) -> bytes:
    """Return "port unreachable" for the question that just came (RFC 792)."""
    home = socket.inet_aton("127.0.0.1")
    ip = struct.pack("!BBHHHBBH4s4s", 0x45, 0, 60, 0, 0, 64, socket.IPPROTO_UDP, 0, home, home)
    udp = struct.pack("!HHHH", upstream.sources[-1], upstream.port, 40, 0)
    rest = struct.pack("!I", 0) + ip + udp
    header = struct.pack("!BBH", 3, 3, _checksum(b"\3\3\0\0" + rest))
    return header + rest


@contextmanager
def icmp_first(upstream: FakeUpstream) -> Iterator[None]:
    raw = socket.socket(socket.AF_INET, socket.SOCK_RAW, socket.IPPROTO_ICMP)

    def respond(query: dns.message.Message) -> dns.message.Message:
        with suppress(
            OSError
        ):  # an attempt that gives up at the first does not wait for the others
            for _ in range(20):
                raw.sendto(_unreachable(upstream), ("127.0.0.1", 0))
        return an_answer(query, GOOD)

    upstream.respond = respond
    with raw:
        yield


@pytest.mark.usefixtures("needs_namespaces")
@pytest.mark.usefixtures("patient")
def test_a_forged_icmp_error_ends_nothing(serving: Serving, upstream: FakeUpstream) -> None:
    with icmp_first(upstream):
        assert addresses(serving.ask(next(_NAMES))) == [GOOD]
    assert serving.run(lambda: serving.forwarder.counters["icmp"]) >= 1


@pytest.mark.usefixtures("needs_namespaces")
def test_if_it_did_a_forger_could_silence_any_name(
    serving: Serving, upstream: FakeUpstream, monkeypatch: pytest.MonkeyPatch
) -> None:
    def give_up(self: Exchange) -> None:
        self._finish(UpstreamUnreachableError("unreachable"))

    monkeypatch.setattr(Exchange, "refused", give_up)
    with icmp_first(upstream):
        assert serving.ask(next(_NAMES)).rcode() == dns.rcode.SERVFAIL


@pytest.mark.usefixtures("patient")
def test_a_true_truncated_answer_is_fetched_by_tcp(
    serving: Serving, upstream: FakeUpstream
) -> None:
    def truncated(query: dns.message.Message) -> dns.message.Message:
        response = dns.message.make_response(query)
        response.flags |= dns.flags.TC
        return response

    upstream.respond = truncated
    upstream.respond_by_tcp = lambda query: an_answer(query, GOOD)
    assert addresses(serving.ask(next(_NAMES))) == [GOOD]
    assert upstream.transports == {"udp": 1, "tcp": 1}


@contextmanager
def a_flood(lowest: int, ports_: int, ids: int) -> Iterator[tuple[UpstreamServer, list[int]]]:
    """Run the forger; the list holds how much it sent once it is over."""
    command = [sys.executable, "-m", "tests.support.forger", str(lowest), str(ports_), str(ids)]
    sent: list[int] = []
    with subprocess.Popen(
        command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as forger:
        assert forger.stdout is not None
        try:
            yield UpstreamServer("127.0.0.1", int(forger.stdout.readline())), sent
        finally:
            out, _ = forger.communicate(timeout=WITHIN_S)
            sent.append(int(out))


def poisoned(serving: Serving, names: Sequence[str]) -> list[str]:
    """Ask for names, several at a time; return those that did not get the true answer."""
    wrong = []
    with serving.stub() as stub:
        for at in range(0, len(names), _AT_A_TIME):
            some = names[at : at + _AT_A_TIME]
            for message_id, name in enumerate(some):
                stub.send(a_query(name, message_id=message_id))
            for _ in some:
                response = dns.message.from_wire(stub.receive())
                if addresses(response) != [GOOD]:
                    wrong.append(some[response.id])
    return wrong


@pytest.mark.long
def test_nothing_is_poisoned_by_a_flood_of_guesses(
    index: Index, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(exchange, "DEADLINE_S", WITHIN_S)  # a busy machine is no forger
    names = [next(_NAMES) for _ in range(TARGETS)]
    with (
        a_flood(randomness.LOWEST, 65_536 - randomness.LOWEST, 65_536) as (server, sent),
        Serving(a_site(index, [server])) as serving,
    ):
        assert poisoned(serving, names) == []
        assert poisoned(serving, names) == []  # what was kept
        unexpected = serving.run(lambda: serving.forwarder.counters["unexpected"])
    sys.stdout.write(f"{sent[0]} forged answers at {TARGETS} targets, {unexpected} hit a port\n")
    assert sent[0] > TARGETS


def test_control_ids_and_ports_that_can_be_guessed_would_be(
    index: Index, monkeypatch: pytest.MonkeyPatch
) -> None:
    block = array("H", [20_000 + n % 64 for n in range(2_048)]).tobytes()
    monkeypatch.setattr(randomness, "LOWEST", 0)
    monkeypatch.setattr(RandomNumbers, "block", lambda _: block)
    with (
        a_flood(20_000, 64, 65_536) as (server, _),
        Serving(a_site(index, [server])) as serving,
    ):
        tries = ([next(_NAMES) for _ in range(50)] for _ in range(20))  # a busy machine forges less
        assert any(poisoned(serving, names) for names in tries)
