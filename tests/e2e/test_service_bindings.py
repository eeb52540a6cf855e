# SPDX-License-Identifier: Apache-2.0
"""HTTPS and SVCB records: their targets, and the keys that they offer."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import dns.flags
import dns.message
import dns.rcode
import dns.rdatatype
import dns.rrset
import pytest

from filterd.resolve.links.filter import Filter
from filterd.resolve.links.redaction import Ech
from filterd.resolve.site import Site
from tests.support.serving import GRADE_1, GRADE_11, Serving, a_site
from tests.support.wire import a_message, a_record

if TYPE_CHECKING:
    from collections.abc import Iterator

    from filterd.lists.index import Index
    from tests.support.upstream import FakeUpstream

NAME = "shop.example.com"
TYPES = ["HTTPS", "SVCB"]
KEY = 'ech="AARhYmNk"'
SIGNATURE = "13 3 300 20300101000000 20200101000000 1 example.com. aGVsbG8="


@pytest.fixture
def strict(index: Index, upstream: FakeUpstream) -> Iterator[Serving]:
    """Serve a school where grade 1 gets no keys, and grade 11 does."""
    site = a_site(index, [upstream])
    grades = dict(site.policy.grades)
    grades["1"] = replace(grades["1"], strip_ech=True)
    policy = replace(site.policy, grades=grades)
    with Serving(Site.of(policy, index, site.route.servers)) as running:
        yield running


def lines(response: dns.message.Message) -> list[str]:
    return [rdata.to_text() for rrset in response.answer for rdata in rrset]


LEADING_ASTRAY = {
    "alias mode": "0 tracker.example.",
    "alias mode, beneath": "0 a.B.tracker.example.",
    "target name": "1 tracker.example. alpn=h2",
    "second of two": "2 www.example.com.",
}


@pytest.mark.parametrize("qtype", TYPES)
@pytest.mark.parametrize("data", LEADING_ASTRAY.values(), ids=LEADING_ASTRAY.keys())
@pytest.mark.parametrize("judged", [True, False])
def test_a_target_is_judged_like_an_alias(
    serving: Serving,
    upstream: FakeUpstream,
    monkeypatch: pytest.MonkeyPatch,
    qtype: str,
    data: str,
    judged: bool,
) -> None:
    if not judged:  # the control: without this step the record would reach the client
        monkeypatch.setattr(Filter, "_judge_targets", lambda *said: said[-1])
    upstream.add(f"{NAME}. 300 IN {qtype} {data}")
    if data.startswith("2"):
        upstream.add(f"{NAME}. 300 IN {qtype} 3 tracker.example.")
    cold, warm = serving.ask(NAME, qtype), serving.ask(NAME, qtype)
    assert (cold.answer == []) is judged
    assert (warm.answer == []) is judged
    assert len(upstream.asked) == 1


@pytest.mark.parametrize("qtype", TYPES)
def test_filtered_clients_get_no_keys_and_others_do(
    strict: Serving, upstream: FakeUpstream, qtype: str
) -> None:
    params = f"mandatory=alpn,ech alpn=h2 {KEY} ipv4hint=198.18.0.1"
    upstream.add(f"{NAME}. 300 IN {qtype} 1 . {params}")
    for _ in range(2):
        without = strict.ask(NAME, qtype)
        assert lines(without) == ['1 . mandatory="alpn" alpn="h2" ipv4hint="198.18.0.1"']
        with_keys = strict.ask(NAME, qtype, source=GRADE_11)
        assert lines(with_keys)[0].count("ech=") == 1
    assert len(upstream.asked) == 1, "what is kept is whole, and shared"


@pytest.fixture
def unguarded(monkeypatch: pytest.MonkeyPatch) -> None:
    """Take the safeguard away before a chain is built: its links are looked up once."""
    monkeypatch.setattr(Ech, "__call__", lambda _, query, proceed: proceed(query))


@pytest.mark.usefixtures("unguarded")
def test_control_without_the_safeguard_the_keys_would_reach_the_client(
    strict: Serving, upstream: FakeUpstream
) -> None:
    upstream.add(f"{NAME}. 300 IN HTTPS 1 . {KEY}")
    assert "ech=" in lines(strict.ask(NAME, "HTTPS"))[0]


def test_what_is_left_of_a_signed_record_is_not_signed_nor_authentic(
    strict: Serving, upstream: FakeUpstream
) -> None:
    def signed(query: dns.message.Message) -> dns.message.Message:
        response = dns.message.make_response(query)
        response.flags |= dns.flags.AD
        for line in (f"HTTPS 1 . {KEY}", f"RRSIG HTTPS {SIGNATURE}"):
            rtype, data = line.split(None, 1)
            response.answer.append(dns.rrset.from_text(f"{NAME}.", 300, "IN", rtype, data))
        return response

    upstream.respond = signed
    response = strict.ask(NAME, "HTTPS", do=True, ad=True)
    assert [rrset.rdtype for rrset in response.answer] == [dns.rdatatype.HTTPS]
    assert not response.flags & dns.flags.AD
    other = strict.ask(NAME, "HTTPS", do=True, ad=True, source=GRADE_11)
    assert len(other.answer) == 2


def test_a_record_without_keys_is_sent_with_its_signature(
    strict: Serving, upstream: FakeUpstream
) -> None:
    upstream.add(f"{NAME}. 300 IN HTTPS 1 . alpn=h2")
    assert lines(strict.ask(NAME, "HTTPS")) == ['1 . alpn="h2"']


def test_every_record_of_several_loses_its_key(strict: Serving, upstream: FakeUpstream) -> None:
    upstream.add(
        f"{NAME}. 300 IN HTTPS 1 . {KEY}",
        f"{NAME}. 300 IN HTTPS 2 www.example.com. alpn=h3 {KEY} port=8443",
        f"{NAME}. 300 IN HTTPS 3 . {KEY} mandatory=ech",
    )
    assert sorted(lines(strict.ask(NAME, "HTTPS"))) == [
        "1 .",
        '2 www.example.com. alpn="h3" port="8443"',
        "3 .",
    ]


MALFORMED = {
    "too short": b"\0",
    "a name that does not end": b"\0\1\3www",
    "a compressed name": b"\0\1\xc0\x0c",
    "a parameter that does not end": b"\0\1\0\0\5\0\x20abcd",
    "keys out of order": b"\0\1\0\0\5\0\0\0\1\0\3\2h2",
    "half an address": b"\0\1\0\0\4\0\2\xc0\0",
    "mandatory of one octet": b"\0\1\0\0\0\0\1\5\0\5\0\4abcd",
}


@pytest.mark.parametrize("rdata", MALFORMED.values(), ids=MALFORMED.keys())
def test_what_cannot_be_parsed_is_no_data(
    strict: Serving, upstream: FakeUpstream, rdata: bytes
) -> None:
    def malformed(query: dns.message.Message) -> bytes:
        question = query.to_wire()[12:]
        question = question[: question.index(b"\0") + 5]
        record = a_record(b"\0\1\0", rtype=65) + a_record(rdata, rtype=65)
        return a_message(question + record, flags=0x8180, ancount=2, message_id=query.id)

    upstream.respond = malformed
    for _ in range(2):
        response = strict.ask(NAME, "HTTPS", source=GRADE_1)
        assert (response.rcode(), response.answer) == (dns.rcode.NOERROR, [])
