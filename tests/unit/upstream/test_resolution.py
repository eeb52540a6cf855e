# SPDX-License-Identifier: Apache-2.0
"""The part of a response that may be kept and passed on."""

from __future__ import annotations

from itertools import pairwise
from typing import TYPE_CHECKING

import dns.message
import dns.rdatatype
import pytest

from filterd.base.errors import UpstreamMalformedError
from filterd.upstream import Resolution, Route, UpstreamQuestion, resolution
from filterd.upstream.resolution import LONGEST_CHAIN, resolution_of
from filterd.wire import _codec_py, assemble, codec, parse_query, parse_response
from tests.support.policies import wire
from tests.support.twins import MODULES
from tests.support.wire import a_message, a_query, a_record, a_response

if TYPE_CHECKING:
    from collections.abc import Iterable

SOA = "example.com 300 SOA ns.example.com root.example.com 1 3600 600 86400 60"
NAME = "www.example.com"
A = f"{NAME} 300 A 198.18.0.1"
SIGNED = f"{NAME} 300 RRSIG A 13 3 300 20300101000000 20200101000000 1 example.com aGVsbG8="
NSEC = "example.com 200 NSEC a.example.com A RRSIG"

TWINS = {
    "pure": (resolution.resolution_of, _codec_py.parse_response),
    "live": (MODULES["extraction"][-1].resolution_of, codec.parse_response),
}


@pytest.fixture(autouse=True, params=TWINS)
def _twin(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """Run every test here with what is explained, and with what serves."""
    for name, one in zip(("resolution_of", "parse_response"), TWINS[request.param], strict=True):
        monkeypatch.setitem(globals(), name, one)


def resolve(
    *answers: str,
    qtype: str = "A",
    rcode: str = "NOERROR",
    authority: Iterable[str] = (),
    additional: Iterable[str] = (),
    do: bool = False,
    whole: bool = False,
) -> Resolution:
    response = a_response(
        a_query(NAME, qtype), *answers, rcode=rcode, authority=authority, additional=additional
    )
    rdtype = dns.rdatatype.from_text(qtype)
    question = UpstreamQuestion(wire(NAME), rdtype, do, False, Route((), whole=whole))
    return resolution_of(parse_response(response), question)


def kept(resolution: Resolution, qtype: str = "A") -> list[str]:
    """Return what a client would get, as owner and type."""
    query = parse_query(a_query(NAME, qtype))
    message = dns.message.from_wire(assemble(query, resolution.sections, resolution.rcode))
    sections = (*message.answer, *message.authority, *message.additional)
    return [
        f"{rrset.name.to_text(omit_final_dot=True)} {dns.rdatatype.to_text(rrset.rdtype)}"
        for rrset in sections
    ]


def test_the_answer_is_kept_and_other_records_are_not() -> None:
    stray = "bank.example.org 300 A 198.18.0.66"
    resolution = resolve(
        A,
        stray,
        f"{NAME} 300 TXT x",
        authority=[f"{NAME} 300 NS bank.example.org", SOA],
        additional=[stray],
    )
    assert kept(resolution) == [f"{NAME} A"]


def test_a_chain_is_followed_whatever_the_order_of_its_records() -> None:
    resolution = resolve(
        "c.example.net 20 A 198.18.0.1",
        "b.example.net 30 CNAME c.example.net",
        f"{NAME} 300 CNAME B.example.net",
    )
    owners = [f"{NAME} CNAME", "b.example.net CNAME", "c.example.net A"]
    assert [one.lower() for one in kept(resolution)] == [owner.lower() for owner in owners]
    assert resolution.targets == (wire("b.example.net"), wire("c.example.net"))
    assert resolution.ttl_s == 20


def test_asked_for_the_alias_itself_the_chain_ends_there() -> None:
    resolution = resolve(
        f"{NAME} 300 CNAME b.example.net", "b.example.net 9 CNAME c.example.net", qtype="CNAME"
    )
    assert kept(resolution, "CNAME") == [f"{NAME} CNAME"]
    assert resolution.ttl_s == 300


@pytest.mark.parametrize("hops", [LONGEST_CHAIN, LONGEST_CHAIN + 1])
def test_a_chain_may_be_as_long_as_resolvers_follow(hops: int) -> None:
    names = [NAME, *(f"n{n}.example.net" for n in range(hops))]
    chain = [f"{a} 300 CNAME {b}" for a, b in pairwise(names)]
    if hops <= LONGEST_CHAIN:
        assert len(resolve(*chain).targets) == hops
    else:
        with pytest.raises(UpstreamMalformedError):
            resolve(*chain)


@pytest.mark.parametrize("circle", [[NAME, NAME], [NAME, "b.example", NAME]])
def test_a_circle_is_refused(circle: list[str]) -> None:
    records = [f"{a} 300 CNAME {b}" for a, b in pairwise(circle)]
    with pytest.raises(UpstreamMalformedError):
        resolve(*records)


def test_what_is_of_another_class_answers_nothing() -> None:
    query = a_query(NAME)
    records = a_record() + a_record(b"\xc6\x12\0\x42", rclass=3)
    response = parse_response(a_message(query[12:-11] + records, flags=0x8180, ancount=2))
    resolution = resolution_of(response, UpstreamQuestion(wire(NAME), 1, do=False, cd=False))
    assert resolution.sections.ancount == 1


def test_a_dname_above_the_chain_is_kept_with_it() -> None:
    resolution = resolve("example.com 300 DNAME example.net", f"{NAME} 300 CNAME www.example.net")
    assert kept(resolution) == ["example.com DNAME", f"{NAME} CNAME"]


@pytest.mark.parametrize("do", [False, True])
@pytest.mark.parametrize(
    "answers",
    [
        ("example.com 300 DNAME example.net",),
        ("example.com 300 DNAME example.net", A),
        ("example.com 300 DNAME example.net", f"{NAME} 300 CNAME www.example.org"),
        ("com 300 DNAME net", f"{NAME} 300 CNAME net"),
        (
            "net 300 DNAME org",
            f"{NAME} 300 CNAME www.example.net",
            "www.example.net 60 A 198.18.0.1",
        ),
        (f"{NAME} 300 DNAME example.net", A),
    ],
)
def test_a_dname_that_made_nothing_of_the_chain_is_dropped(
    answers: tuple[str, ...], do: bool
) -> None:
    signed = SIGNED.replace(NAME, "example.com", 1).replace("RRSIG A", "RRSIG DNAME")
    assert not [one for one in kept(resolve(*answers, signed, do=do)) if "DNAME" in one]


def test_a_dname_may_say_that_the_name_would_be_too_long() -> None:
    """RFC 6672 §2.2."""
    long = ".".join(["x" * 63] * 3 + ["x" * 60])
    dnames = f"example.com 300 DNAME {long}", "com 300 DNAME net"
    assert kept(resolve(*dnames, rcode="YXDOMAIN")) == ["example.com DNAME"]


@pytest.mark.parametrize("qtype", ["A", "CNAME"])
def test_what_a_dname_has_made_holds_no_longer_than_it(qtype: str) -> None:
    """RFC 6672 §3.1."""
    answers = "example.com 60 DNAME example.net", f"{NAME} 300 CNAME www.example.net"
    assert resolve(*answers, qtype=qtype).sections.ttls == (60, 60)


def test_a_dname_is_kept_with_its_own_signature() -> None:
    """A validator would take the answer for a forgery without it (RFC 6672 §5.3)."""
    signed = "RRSIG {} 13 2 300 20300101000000 20200101000000 1 example.com aGVsbG8="
    resolution = resolve(
        "example.com 300 DNAME example.net",
        f"example.com 300 {signed.format('DNAME')}",
        f"example.com 300 {signed.format('A')}",
        f"{NAME} 300 CNAME www.example.net",
        do=True,
    )
    assert kept(resolution) == ["example.com DNAME", "example.com RRSIG", f"{NAME} CNAME"]


def test_a_dname_on_the_way_is_no_answer_to_a_question_for_one_at_its_end() -> None:
    way = ("example.com 300 DNAME example.net", f"{NAME} 300 CNAME www.example.net")
    soa = "example.net 300 SOA ns. root. 1 3600 600 86400 60"
    resolution = resolve(*way, qtype="DNAME", rcode="NXDOMAIN", authority=[soa])
    assert kept(resolution, "DNAME") == ["example.com DNAME", f"{NAME} CNAME", "example.net SOA"]
    assert resolution.ttl_s == 60


def test_a_dname_that_is_followed_twice_is_kept_once() -> None:
    resolution = resolve(
        "example.com 300 DNAME a.example.com",
        f"{NAME} 300 CNAME www.a.example.com",
        "www.a.example.com 300 A 198.18.0.1",
    )
    assert kept(resolution) == ["example.com DNAME", f"{NAME} CNAME", "www.a.example.com A"]
    assert resolution.sections.ancount == 3


@pytest.mark.parametrize("qtype", ["HTTPS", "SVCB"])
@pytest.mark.parametrize(
    ("data", "targets"),
    [
        ("0 cdn.example.net.", ["cdn.example.net"]),
        ("1 cdn.example.net.", ["cdn.example.net"]),
        ("1 .", []),
    ],
)
def test_where_a_service_leads_is_to_be_judged(qtype: str, data: str, targets: list[str]) -> None:
    resolution = resolve(f"{NAME} 300 {qtype} {data}", qtype=qtype)
    assert list(resolution.targets) == [wire(target) for target in targets]


LIFETIMES = {
    "the least TTL": ([A, f"{NAME} 7 A 198.18.0.2"], "NOERROR", [], 7),
    "a day at most": ([f"{NAME} 1000000 A 198.18.0.1"], "NOERROR", [], 86_400),
    "nothing for TTL 0": ([f"{NAME} 0 A 198.18.0.1"], "NOERROR", [], 0),
    "MINIMUM of the SOA": ([], "NXDOMAIN", [SOA], 60),
    "TTL of the SOA": ([], "NOERROR", [SOA.replace(" 300 ", " 5 ")], 5),
    "an hour for negatives": (
        [],
        "NXDOMAIN",
        [SOA.replace(" 300 ", " 9999 ")[:-2] + "9999"],
        3_600,
    ),
    "nothing without SOA": ([], "NXDOMAIN", [], 0),
    "nothing with the SOA of a stranger": (
        [],
        "NXDOMAIN",
        [SOA.replace("example.com 300", "example.org 300")],
        0,
    ),
    "the chain before a negative": ([f"{NAME} 11 CNAME b.example.com"], "NXDOMAIN", [SOA], 11),
    "nothing for SERVFAIL": ([], "SERVFAIL", [SOA], 0),
}


@pytest.mark.parametrize(
    ("answers", "rcode", "authority", "ttl_s"), LIFETIMES.values(), ids=LIFETIMES.keys()
)
def test_how_long_all_of_it_holds(
    answers: list[str], rcode: str, authority: list[str], ttl_s: int
) -> None:
    assert resolve(*answers, rcode=rcode, authority=authority).ttl_s == ttl_s


def test_signatures_and_proofs_are_for_clients_with_do() -> None:
    assert kept(resolve(authority=[SOA, NSEC])) == ["example.com SOA"]
    assert kept(resolve(authority=[SOA, NSEC], do=True)) == ["example.com SOA", "example.com NSEC"]
    assert kept(resolve(A, SIGNED, do=True)) == [f"{NAME} A", f"{NAME} RRSIG"]


def test_a_client_without_do_gets_no_signatures_though_they_came() -> None:
    """RFC 4035 §3.2.1."""
    alias = [f"{NAME} 300 CNAME www.example.net", SIGNED.replace("RRSIG A", "RRSIG CNAME")]
    dname = ["com 300 DNAME net", SIGNED.replace(NAME, "com", 1).replace("RRSIG A", "RRSIG DNAME")]
    answers = [
        *dname,
        *alias,
        "www.example.net 60 A 198.18.0.1",
        SIGNED.replace(NAME, "www.example.net"),
    ]
    assert not [one for one in kept(resolve(*answers)) if one.endswith("RRSIG")]
    assert len([one for one in kept(resolve(*answers, do=True)) if one.endswith("RRSIG")]) == 3
    assert kept(resolve(SIGNED, qtype="RRSIG"), "RRSIG") == [f"{NAME} RRSIG"], "asked for them"


def test_a_signature_is_no_proof_without_what_it_signs() -> None:
    signed = SIGNED.replace(NAME, "example.com", 1)
    authority = [
        NSEC,
        signed.replace("RRSIG A", "RRSIG NSEC"),
        signed.replace("RRSIG A", "RRSIG NS"),
    ]
    assert kept(resolve(A, SIGNED, authority=authority, do=True)) == [
        f"{NAME} A",
        f"{NAME} RRSIG",
        "example.com NSEC",
        "example.com RRSIG",
    ]
    of_soa = signed.replace("RRSIG A", "RRSIG SOA")
    assert len(kept(resolve(authority=[SOA, of_soa], do=True))) == 2
    assert kept(resolve(A, authority=[SOA, of_soa], do=True)) == [f"{NAME} A"]


FOREIGN = (
    "bank.example.net 200 NSEC z.example.net A RRSIG",
    "com 200 NSEC example.net NS RRSIG",
    "b4um86eghhds6nea196smvmlo4ors995.example.net 200 NSEC3 1 0 0 - "
    "gjeqe526plbf1g8mklp59enfd789njgi A",
    "example.net 300 RRSIG NSEC 13 2 300 20300101000000 20200101000000 1 example.net aGVsbG8=",
)


@pytest.mark.parametrize("foreign", FOREIGN)
@pytest.mark.parametrize("rcode", ["NXDOMAIN", "NOERROR"])
def test_a_denial_has_no_proof_of_another_zone(rcode: str, foreign: str) -> None:
    resolution = resolve(rcode=rcode, authority=[SOA, foreign, NSEC], do=True)
    assert kept(resolution) == ["example.com SOA", "example.com NSEC"]
    assert kept(resolve(rcode=rcode, authority=[foreign], do=True)) == []


@pytest.mark.parametrize("foreign", FOREIGN)
def test_an_answer_has_no_proof_of_another_zone(foreign: str) -> None:
    resolution = resolve(A, SIGNED, authority=[foreign, NSEC], do=True)
    assert kept(resolution) == [f"{NAME} A", f"{NAME} RRSIG", "example.com NSEC"]


def test_a_signature_of_a_zone_that_is_not_above_its_owner_makes_no_zone() -> None:
    signed = SIGNED.replace("1 example.com", "1 example.net")
    assert kept(resolve(A, signed, authority=FOREIGN, do=True)) == [f"{NAME} A", f"{NAME} RRSIG"]


def test_an_alias_of_a_wildcard_brings_the_proof_of_its_own_zone() -> None:
    """The denial at its end is of another zone (RFC 4035 §3.1.3.3)."""
    alias = f"{NAME} 300 CNAME b.example.net", SIGNED.replace("RRSIG A", "RRSIG CNAME")
    soa = SOA.replace("example.com", "example.net", 1)
    resolution = resolve(*alias, rcode="NXDOMAIN", authority=[soa, NSEC], do=True)
    assert kept(resolution)[2:] == ["example.net SOA", "example.com NSEC"]


def test_control_without_the_zones_a_foreign_proof_passes(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(resolution, "_zones", lambda *_: {b"\0"})
    assert "bank.example.net NSEC" in kept(resolve(authority=[SOA, FOREIGN[0]], do=True))


@pytest.mark.parametrize("whole", [False, True])
def test_a_denial_has_its_own_lifetime(whole: bool) -> None:
    """Else a question in its last second would keep it for as long again (RFC 2308 §5)."""
    assert resolve(authority=[SOA], whole=whole).sections.ttls == (60,)


@pytest.mark.parametrize(
    ("line", "private"),
    [
        (f"{NAME} 300 A 198.18.0.1", False),
        (f"{NAME} 300 A 10.0.0.1", True),
        (f"{NAME} 300 AAAA 2001:2::1", False),
        (f"{NAME} 300 AAAA fd00::1", True),
        (f"{NAME} 300 HTTPS 1 . ipv4hint=198.18.0.1 ipv6hint=2001:2::1", False),
        (f"{NAME} 300 HTTPS 1 . ipv4hint=198.18.0.1,192.168.0.1", True),
        (f"{NAME} 300 SVCB 1 . ipv6hint=::1", True),
    ],
)
def test_addresses_are_looked_at_once(line: str, private: bool) -> None:
    assert resolve(line, qtype=line.split()[2]).private is private


def test_addresses_outside_the_question_have_no_effect() -> None:
    assert not resolve(A, additional=["ns.example.com 300 A 10.0.0.1"]).private


@pytest.mark.parametrize(("data", "ech"), [("1 . alpn=h2", False), ('1 . ech="AARhYmNk"', True)])
def test_an_offer_of_encrypted_hello_is_noted(data: str, ech: bool) -> None:
    assert resolve(f"{NAME} 300 HTTPS {data}", qtype="HTTPS").ech is ech


@pytest.mark.parametrize(
    "rdata",
    [
        b"\0",
        b"\0\1",
        b"\0\1\xc0\x0c",
        b"\0\1\0\0\4\0\3abc",
        b"\0\1\0\0\4\0\0",
        b"\0\1\0\0\5\0\0\0\4\0\4abcd",
    ],
    ids=["short", "no name", "compressed", "hint", "no hint", "order"],
)
def test_service_bindings_that_do_not_parse_are_no_data(rdata: bytes) -> None:
    query = a_query(NAME, "HTTPS", edns=False)
    good, bad = a_record(b"\0\1\0", rtype=65), a_record(rdata, rtype=65)
    signature = a_record(b"\0\x41" + bytes(16) + b"\0x", rtype=46)
    message = a_message(query[12:] + good + bad + signature, flags=0x8180, ancount=3)
    question = UpstreamQuestion(wire(NAME), 65, do=True, cd=False)
    resolution = resolution_of(parse_response(message), question)
    assert (resolution.rcode, kept(resolution, "HTTPS"), resolution.ttl_s) == (0, [], 0)


def test_an_address_of_a_wrong_length_is_malformed() -> None:
    query = a_query(NAME, edns=False)
    message = a_message(query[12:] + a_record(b"\x0a\0\0"), flags=0x8180, ancount=1)
    with pytest.raises(UpstreamMalformedError):
        resolution_of(parse_response(message), UpstreamQuestion(wire(NAME), 1, do=False, cd=False))


def test_a_zone_s_own_servers_are_taken_at_their_word() -> None:
    resolution = resolve(
        f"{NAME} 300 CNAME dc.example.com",
        "dc.example.com 300 A 10.0.0.1",
        authority=["example.com 300 NS dc.example.com"],
        additional=["dc.example.com 300 A 10.0.0.1", "other.example 300 A 198.18.0.1"],
        whole=True,
    )
    assert len(kept(resolution)) == 5
    assert (resolution.targets, resolution.private, resolution.ttl_s) == ((), False, 300)


def test_a_negative_answer_of_a_zone_s_own_server_is_kept_by_its_soa() -> None:
    assert resolve(rcode="NXDOMAIN", authority=[SOA], whole=True).ttl_s == 60
    assert resolve(authority=["example.com 300 NS a.example.com"], whole=True).ttl_s == 0
