# SPDX-License-Identifier: Apache-2.0
"""filterd between resolvers that validate: one behind it, one in front.

filterd validates nothing. It must carry questions and proofs unchanged, keep answers
for different CD and DO apart, and claim nothing.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import dns.edns
import dns.flags
import dns.message
import dns.name
import dns.query
import dns.rcode
import dns.rdatatype
import dns.zone
import pytest

from filterd.policy.model import LocalZone, UpstreamServer, ZoneRecord
from filterd.resolve.cache_store import ResolutionStore
from filterd.upstream import resolution as upstream_resolution
from filterd.wire import EdeCode, RRType
from tests.support.policies import an_index, wire
from tests.support.serving import WITHIN_S, Serving, a_site
from tests.support.signing import ZoneKey, sign
from tests.support.unbound import Unbound, unbound

if TYPE_CHECKING:
    from collections.abc import Container, Iterator
    from contextlib import AbstractContextManager
    from pathlib import Path

    from filterd.lists.index import Index
    from filterd.resolve.cache_entry import CacheEntry
    from filterd.upstream import UpstreamQuestion
    from filterd.wire import ParsedResponse, Record

pytestmark = pytest.mark.usefixtures("patient")

KEY, OTHER_KEY = ZoneKey(1), ZoneKey(2)
SIGNED, BROKEN = "signed.example.", "broken.example."
ADDRESS = "198.18.0.80"
PROOFS = {int(dns.rdatatype.RRSIG), int(dns.rdatatype.NSEC)}

LOCAL_ADDRESS = "198.18.0.99"
LOCAL_ZONE = LocalZone(
    wire("lan.signed.example"),
    (ZoneRecord(wire("printer.lan.signed.example"), 1, 300, bytes((198, 18, 0, 99))),),
)

_RECORDS = f"""\
@ 300 IN SOA ns root 1 2 3 4 60
@ 300 IN NS ns
ns 300 IN A 198.18.0.53
www 300 IN A {ADDRESS}
blocked 300 IN A {ADDRESS}
alias 300 IN CNAME www
to-blocked 300 IN CNAME blocked
*.wild 300 IN A {ADDRESS}
moved 300 IN DNAME target
here.target 300 IN A {ADDRESS}
""" + "".join(f'big 300 IN TXT "{number}{"x" * 200}"\n' for number in range(12))


@pytest.fixture(scope="module")
def zones() -> dict[str, dns.zone.Zone]:
    made = {
        origin: dns.zone.from_text(_RECORDS, origin, relativize=False)
        for origin in (SIGNED, BROKEN)
    }
    for zone in made.values():
        sign(zone, KEY)
    return made


@pytest.fixture(scope="module")
def index(tmp_path_factory: pytest.TempPathFactory) -> Index:
    lists = {"porn": ("porn", "domains", False, ["blocked.signed.example"])}
    return an_index(tmp_path_factory.mktemp("lists"), lists)


@pytest.fixture(scope="module")
def validating(
    zones: dict[str, dns.zone.Zone], tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Unbound]:
    """An upstream that validates, and trusts the wrong key for one zone."""
    anchors = [KEY.anchor(SIGNED), OTHER_KEY.anchor(BROKEN)]
    folder = tmp_path_factory.mktemp("validating")
    with unbound(folder, zones=zones, anchors=anchors) as running:
        yield running


@pytest.fixture(scope="module")
def plain(
    zones: dict[str, dns.zone.Zone], tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Unbound]:
    """An upstream that validates nothing."""
    with unbound(tmp_path_factory.mktemp("plain"), zones=zones) as running:
        yield running


def before(upstream: Unbound, index: Index, *, trusted: bool = False) -> Serving:
    server = UpstreamServer("127.0.0.1", upstream.port, trusted=trusted)
    return Serving(a_site(index, [server], local_zones=[LOCAL_ZONE]))


def proofs(response: dns.message.Message) -> set[int]:
    return PROOFS & {int(one.rdtype) for one in (*response.answer, *response.authority)}


def edes(response: dns.message.Message) -> list[int]:
    return [int(o.code) for o in response.options if isinstance(o, dns.edns.EDEOption)]


class BlindToCd(ResolutionStore):
    """A cache that takes a question with CD for the same without."""

    def put(self, question: UpstreamQuestion, *about: Any, **how: Any) -> None:
        super().put(question._replace(cd=False), *about, **how)

    def get(self, question: UpstreamQuestion, now: float) -> CacheEntry | None:
        return super().get(question._replace(cd=False), now)


# A resolver that validates behind filterd.


def test_bogus_is_servfail_with_its_reason_for_clients_with_opt(
    validating: Unbound, index: Index
) -> None:
    with before(validating, index) as serving:
        response = serving.ask("www.broken.example")
        assert response.rcode() == dns.rcode.SERVFAIL
        assert {*edes(response)} & {EdeCode.DNSSEC_BOGUS, EdeCode.DNSKEY_MISSING}
        assert not serving.ask("www.broken.example", edns=False).options


@pytest.mark.parametrize("cd_first", [True, False])
def test_only_clients_with_cd_get_bogus_data(
    validating: Unbound, index: Index, *, cd_first: bool
) -> None:
    with before(validating, index) as serving:
        for cd in (cd_first, not cd_first, cd_first):
            response = serving.ask("www.broken.example", cd=cd)
            assert bool(response.answer) is cd
            assert response.rcode() == (dns.rcode.NOERROR if cd else dns.rcode.SERVFAIL)


def test_control_were_cd_not_part_of_the_question_what_is_bogus_would_reach_everybody(
    validating: Unbound, index: Index, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tests.support.serving.ResolutionStore", BlindToCd)
    with before(validating, index) as serving:
        serving.ask("www.broken.example", cd=True)
        assert serving.ask("www.broken.example").answer


@pytest.mark.parametrize(("name", "kinds"), [("www", {46}), ("gone", {46, 47})])
@pytest.mark.parametrize("do_first", [True, False])
def test_proofs_go_to_clients_with_do_and_to_no_others(
    validating: Unbound, index: Index, name: str, kinds: set[int], *, do_first: bool
) -> None:
    with before(validating, index) as serving:
        for do in (do_first, not do_first, do_first):
            response = serving.ask(f"{name}.signed.example", do=do)
            assert proofs(response) == (kinds if do else set())


@pytest.mark.parametrize(("do", "ad"), [(True, False), (False, True), (True, True)])
def test_what_an_untrusted_upstream_claims_is_not_repeated(
    validating: Unbound, index: Index, *, do: bool, ad: bool
) -> None:
    with before(validating, index) as serving:
        for _ in range(2):
            response = serving.ask("www.signed.example", do=do, ad=ad)
            assert not response.flags & dns.flags.AD


@pytest.mark.parametrize(
    ("name", "validated"), [("www.signed.example", True), ("nothing.else.example", False)]
)
def test_a_trusted_upstream_s_validation_is_passed_on_to_clients_that_understand(
    validating: Unbound, index: Index, name: str, *, validated: bool
) -> None:
    with before(validating, index, trusted=True) as serving:
        for _ in range(2):
            for do, ad in ((True, False), (False, True), (True, True)):
                response = serving.ask(name, do=do, ad=ad)
                assert bool(response.flags & dns.flags.AD) is validated
            assert not serving.ask(name).flags & dns.flags.AD


def test_no_trust_makes_authentic_what_is_bogus_or_blocked(
    validating: Unbound, index: Index
) -> None:
    with before(validating, index, trusted=True) as serving:
        for name in ("www.broken.example", "blocked.signed.example", "to-blocked.signed.example"):
            assert not serving.ask(name, do=True, cd=True).flags & dns.flags.AD


# A resolver that validates in front of filterd.

SECURE = {
    "an address": ("www", "A"),
    "a name that does not exist": ("gone", "A"),
    "a type that does not exist": ("www", "AAAA"),
    "an alias": ("alias", "A"),
    "a wildcard": ("any.wild", "A"),
    "a type that a wildcard lacks": ("any.wild", "TXT"),
    "a DNAME": ("here.moved", "A"),
    "a name that a DNAME leads nowhere": ("gone.moved", "A"),
    "what does not fit a datagram": ("big", "TXT"),
    "a key": ("@", "DNSKEY"),
}


def in_front(serving: Serving, folder: Path, more: str = "") -> AbstractContextManager[Unbound]:
    """Start a resolver that asks filterd and validates."""
    anchors = [KEY.anchor(SIGNED)]
    return unbound(folder, forward_to=serving.ports["127.0.0.1"], anchors=anchors, more=more)


def asked(front: Unbound, name: str, qtype: str = "A", *, cd: bool = False) -> dns.message.Message:
    full = SIGNED if name == "@" else f"{name}.{SIGNED}"
    query = dns.message.make_query(full, qtype, want_dnssec=True)
    query.flags |= dns.flags.CD if cd else 0
    return dns.query.tcp(query, "127.0.0.1", WITHIN_S, front.port)


@pytest.fixture(scope="module")
def chain(
    plain: Unbound, index: Index, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Unbound]:
    with (
        before(plain, index) as serving,
        in_front(serving, tmp_path_factory.mktemp("front")) as front,
    ):
        yield front


@pytest.mark.parametrize(("name", "qtype"), SECURE.values(), ids=SECURE)
def test_what_is_signed_can_be_validated_through_filterd(
    chain: Unbound, name: str, qtype: str
) -> None:
    response = asked(chain, name, qtype)
    assert response.rcode() in (dns.rcode.NOERROR, dns.rcode.NXDOMAIN)
    assert response.flags & dns.flags.AD


@pytest.mark.parametrize("name", ["blocked", "to-blocked"])
@pytest.mark.parametrize("cd", [True, False])
def test_a_block_in_a_signed_zone_is_bogus_or_a_block_and_never_the_address(
    chain: Unbound, name: str, *, cd: bool
) -> None:
    response = asked(chain, name, cd=cd)
    assert ADDRESS not in response.to_text()
    assert not response.answer
    assert (response.rcode() == dns.rcode.SERVFAIL) is not cd


def test_a_local_zone_beneath_a_signed_one_needs_a_negative_trust_anchor(
    plain: Unbound, index: Index, tmp_path: Path
) -> None:
    insecure = '    domain-insecure: "lan.signed.example"\n'
    with before(plain, index) as serving:
        with in_front(serving, tmp_path / "with", insecure) as front:
            assert LOCAL_ADDRESS in asked(front, "printer.lan").to_text()
        with in_front(serving, tmp_path / "without") as front:
            assert asked(front, "printer.lan").rcode() == dns.rcode.SERVFAIL


@pytest.mark.parametrize("name", ["gone", "any.wild", "gone.moved"])
def test_without_the_proofs_nothing_but_plain_answers_could_be_validated(
    plain: Unbound,
    index: Index,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    name: str,
) -> None:
    monkeypatch.setattr(upstream_resolution, "_proofs", lambda *_: iter(()))
    with before(plain, index) as serving, in_front(serving, tmp_path) as front:
        assert asked(front, "www").flags & dns.flags.AD
        assert asked(front, name).rcode() == dns.rcode.SERVFAIL


def test_control_without_the_signature_of_a_dname_what_it_leads_to_would_be_bogus(
    plain: Unbound, index: Index, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    signs = upstream_resolution._signs

    def none_of_dnames(response: ParsedResponse, record: Record, types: Container[int]) -> bool:
        return RRType.DNAME not in types and signs(response, record, types)

    monkeypatch.setattr(upstream_resolution, "_signs", none_of_dnames)
    with before(plain, index) as serving, in_front(serving, tmp_path) as front:
        assert asked(front, "here.moved").rcode() == dns.rcode.SERVFAIL
