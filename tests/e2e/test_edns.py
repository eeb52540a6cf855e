# SPDX-License-Identifier: Apache-2.0
"""EDNS as raw octets: the answer, and the question that an upstream gets.

The cases follow those of BIND's ``ednscompliance``: unknown versions, options and
flags, alone and together (RFC 6891), and options of other servers.
"""

from __future__ import annotations

import re
import subprocess
from dataclasses import dataclass
from struct import pack
from typing import TYPE_CHECKING

import dns.edns
import dns.flags
import dns.message
import dns.rcode
import pytest

from filterd.upstream import upstream_question
from filterd.wire import compose, edns
from tests.support.needs import command
from tests.support.serving import GRADE_1, TcpStub, UdpStub
from tests.support.wire import OPT, a_message, a_query, a_record

if TYPE_CHECKING:
    from tests.support.serving import Serving
    from tests.support.upstream import FakeUpstream

pytestmark = pytest.mark.usefixtures("patient")
PASSING, BLOCKED = "www.example.com", "porn.example"
OK, FORMERR, BADVERS = dns.rcode.NOERROR, dns.rcode.FORMERR, dns.rcode.BADVERS

DO, MBZ = 0x8000, 0x0080


def opt(
    *options: tuple[int, bytes],
    version: int = 0,
    flags: int = 0,
    size: int = 1232,
    owner: bytes = b"\0",
    rdlength: int | None = None,
) -> bytes:
    """Return an OPT record; ``rdlength`` may lie."""
    rdata = b"".join(pack("!HH", code, len(data)) + data for code, data in options)
    ttl = version << 16 | flags
    return a_record(rdata, owner=owner, rtype=41, rclass=size, ttl=ttl, rdlength=rdlength)


UNKNOWN = (100, b"unknown")
SUBNET = (8, b"\0\1\x18\0\xc0\0\2")
NSID, EMPTY_COOKIE, KEEPALIVE, PADDING = (3, b""), (10, b""), (11, b""), (12, bytes(64))
COOKIE, SERVER_COOKIE = (10, b"12345678"), (10, b"12345678" + b"abcdefgh")
EVERY_OPTION = (NSID, SUBNET, COOKIE, KEEPALIVE, PADDING, UNKNOWN)


@dataclass(frozen=True)
class Case:
    """What stands behind a question, and the code it is answered with; OK where it is in order."""

    behind: bytes
    rcode: int = OK
    counts: tuple[int, int, int] = (0, 0, 1)

    def query(self, name: str) -> bytes:
        answers, authorities, additionals = self.counts
        return a_message(
            a_query(name, edns=False)[12:] + self.behind,
            ancount=answers,
            nscount=authorities,
            arcount=additionals,
        )

    @property
    def wants_dnssec(self) -> bool:
        return bool(self.behind) and bool(self.behind[7] & 0x80)


CASES = {
    "nothing": Case(b"", counts=(0, 0, 0)),
    "plain": Case(OPT),
    "an unknown version": Case(opt(version=100), BADVERS),
    "the next version": Case(opt(version=1), BADVERS),
    "the last version": Case(opt(version=255), BADVERS),
    "an unknown option": Case(opt(UNKNOWN)),
    "an unknown flag": Case(opt(flags=MBZ)),
    "all unknown flags": Case(opt(flags=0x7FFF)),
    "DO": Case(opt(flags=DO)),
    "DO and an unknown flag": Case(opt(flags=DO | MBZ)),
    "DO and an unknown option": Case(opt(UNKNOWN, flags=DO)),
    "an unknown flag and option": Case(opt(UNKNOWN, flags=MBZ)),
    "an unknown version and option": Case(opt(UNKNOWN, version=100), BADVERS),
    "an unknown version and flag": Case(opt(version=100, flags=MBZ), BADVERS),
    "an unknown version, flag and option": Case(opt(UNKNOWN, version=100, flags=MBZ), BADVERS),
    "an unknown version and DO": Case(opt(version=100, flags=DO), BADVERS),
    "an unknown version, and half an option": Case(
        opt(version=100, rdlength=3) + b"\0\1\0", BADVERS
    ),
    "NSID": Case(opt(NSID)),
    "a cookie": Case(opt(COOKIE)),
    "a cookie and the server's": Case(opt(SERVER_COOKIE)),
    "an empty cookie": Case(opt(EMPTY_COOKIE)),
    "keepalive": Case(opt(KEEPALIVE)),
    "padding": Case(opt(PADDING)),
    "client subnet": Case(opt(SUBNET)),
    "every option": Case(opt(*EVERY_OPTION)),
    "the same option twice": Case(opt(UNKNOWN, UNKNOWN)),
    "as many options as are read": Case(opt(*[UNKNOWN] * 32)),
    "one option more": Case(opt(*[UNKNOWN] * 33), FORMERR),
    "an extended code": Case(b"\0\0\x29\x04\xd0\x10\0\0\0\0\0"),
    "two OPT": Case(OPT * 2, FORMERR, (0, 0, 2)),
    "OPT among the answers": Case(OPT, FORMERR, (1, 0, 0)),
    "OPT in authority": Case(OPT, FORMERR, (0, 1, 0)),
    "OPT behind another record": Case(a_record() + OPT, OK, (0, 0, 2)),
    "an owner that is not the root": Case(opt(owner=b"\1a\0"), FORMERR),
    "an owner that points to the qname": Case(opt(owner=b"\xc0\x0c"), FORMERR),
    "an option longer than OPT": Case(opt((1, b""), rdlength=4)[:-2] + b"\0\5", FORMERR),
    "OPT longer than the message": Case(opt(rdlength=8), FORMERR),
    "OPT shorter than its options": Case(opt(UNKNOWN, rdlength=0), FORMERR),
    "half an option": Case(opt(rdlength=3) + b"\0\1\0", FORMERR),
}


def asked(serving: Serving, query: bytes, by: str = "udp") -> dns.message.Message:
    """Ask octets that may be wrong; everything that holds for any answer is asserted here."""
    stub: UdpStub | TcpStub
    with serving.tcp_stub() if by == "tcp" else serving.stub() as stub:
        answer = stub.ask(query)
    response = dns.message.from_wire(answer)
    assert response.id == int.from_bytes(query[:2])
    assert response.flags & dns.flags.QR
    assert {int(option.otype) for option in response.options} <= {dns.edns.EDE}
    return response


@pytest.mark.parametrize("case", CASES.values(), ids=CASES.keys())
@pytest.mark.parametrize("name", [PASSING, BLOCKED])
@pytest.mark.parametrize("by", ["udp", "tcp"])
def test_edns_is_answered_in_version_0_and_nothing_unknown_comes_back(
    serving: Serving, case: Case, name: str, by: str
) -> None:
    response = asked(serving, case.query(name), by)
    if_in_order = OK if name == PASSING else dns.rcode.NXDOMAIN
    assert response.rcode() == (case.rcode or if_in_order)
    has_opt = bool(case.behind) and case.rcode != FORMERR
    assert response.edns == (0 if has_opt else -1)
    assert response.ednsflags & 0xFFFF == (DO if has_opt and case.wants_dnssec else 0)
    assert response.payload == (1232 if has_opt else 0)
    assert bool(response.answer) == (name == PASSING and case.rcode == OK)


@pytest.mark.parametrize("case", CASES.values(), ids=CASES.keys())
def test_an_upstream_sees_nothing_of_the_askers_options_flags_and_versions(
    serving: Serving, upstream: FakeUpstream, case: Case
) -> None:
    asked(serving, case.query(PASSING))
    seen = [dns.message.from_wire(message) for message in upstream.raw]
    assert len(seen) == (1 if case.rcode == OK else 0)
    for query in seen:
        assert (query.edns, query.options, query.payload) == (0, (), 1232)
        assert query.ednsflags & 0xFFFF == (DO if case.wants_dnssec else 0)


def test_a_client_option_that_is_sent_upstream_is_seen(
    serving: Serving, upstream: FakeUpstream, monkeypatch: pytest.MonkeyPatch
) -> None:
    with_subnet = edns.compose_edns(options=[SUBNET])
    uncached = upstream_question.around_the_section.__wrapped__
    monkeypatch.setattr(upstream_question, "around_the_section", uncached)
    monkeypatch.setattr(compose, "compose_edns", lambda **_: with_subnet)
    with serving.stub() as stub:
        stub.ask(CASES["client subnet"].query(PASSING))
    assert dns.message.from_wire(upstream.raw[0]).options


def test_options_of_an_upstream_do_not_come_through(
    serving: Serving, upstream: FakeUpstream
) -> None:
    def talkative(query: dns.message.Message) -> dns.message.Message:
        response = dns.message.make_response(query)
        options: list[dns.edns.Option] = [
            dns.edns.GenericOption(dns.edns.OptionType.make(code), data)
            for code, data in EVERY_OPTION
        ]
        response.use_edns(0, DO | MBZ, 4096, options=options)
        return response

    upstream.respond = talkative
    response = asked(serving, a_query("other.example.com"))
    assert (response.edns, response.ednsflags & 0xFFFF, response.payload) == (0, 0, 1232)


SIZES = {0: 512, 511: 512, 512: 512, 513: 513, 1232: 1232, 1233: 1232, 4096: 1232, 65535: 1232}
"""The size that a client announces, and its largest answer over UDP."""


@pytest.mark.parametrize(("said", "most"), [*SIZES.items(), (None, 512)])
@pytest.mark.parametrize("octets", [300, 600, 1_150, 3_000])
def test_an_answer_by_udp_is_no_longer_than_asker_and_network_take(
    serving: Serving, upstream: FakeUpstream, said: int | None, most: int, octets: int
) -> None:
    texts = " ".join(f'"{"x" * 100}"' for _ in range(octets // 101))
    upstream.add(f"long.example.com. 300 IN TXT {texts}")
    query = a_query("long.example.com", "TXT", edns=said is not None, udp_size=said or 0)
    with serving.stub() as stub:
        answer = stub.ask(query)
    response = dns.message.from_wire(answer)
    needed = 12 + len(query[12:]) + 12 + octets // 101 * 101
    assert bool(response.flags & dns.flags.TC) == (needed > most)
    assert len(answer) <= most
    assert bool(response.answer) == (needed <= most)
    with serving.tcp_stub() as stub:
        assert dns.message.from_wire(stub.ask(query)).answer


@pytest.mark.parametrize(
    "options",
    [
        "+edns=100 +noednsneg +ednsopt=100 +ednsflags=0x80",
        "+ednsopt=100 +ednsflags=0x80 +dnssec",
        "+subnet=192.0.2.0/24 +nsid +cookie +padding=128 +tcp +keepalive",
    ],
)
def test_dig_finds_nothing_to_warn_of(serving: Serving, options: str) -> None:
    where = ["-b", GRADE_1, "@127.0.0.1", "-p", str(serving.ports["127.0.0.1"])]
    done = subprocess.run(
        [command("dig"), *where, PASSING, *options.split()],
        capture_output=True,
        text=True,
        check=True,
    )
    assert re.search(r"EDNS: version: 0, flags:( do)?; udp: 1232$", done.stdout, re.MULTILINE)
    assert not re.search(r"WARNING|MBZ|OPT=|COOKIE|SUBNET|NSID", done.stdout)


@pytest.mark.parametrize("name", ["porn.example", "malware.example", "social.example"])
def test_an_extended_error_goes_only_to_clients_with_opt_and_names_no_category(
    serving: Serving, name: str
) -> None:
    (error,) = asked(serving, a_query(name)).extended_errors()
    assert error.text is None
    with serving.stub() as stub:
        answer = stub.ask(a_query(name, edns=False))
    assert int.from_bytes(answer[10:12]) == 0, "no additional record"
    for category in ("porn", "malware", "social-media"):
        assert category.encode() not in answer.partition(b"\0\1\0\1")[2]
