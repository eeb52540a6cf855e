# SPDX-License-Identifier: Apache-2.0
"""A blocked name anywhere in a chain of aliases is found (RFC 6604)."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise
from random import Random
from typing import TYPE_CHECKING

import dns.message
import dns.rcode
import dns.rdatatype
import dns.rrset
import pytest

from filterd.resolve.links.filter import Filter
from filterd.upstream import forwarder, resolution, singleflight
from tests.support.policies import an_index
from tests.support.serving import LISTS, Serving, a_site
from tests.support.upstream import FakeUpstream

if TYPE_CHECKING:
    from collections.abc import Iterator

    from filterd.lists.index import Index
    from filterd.upstream import UpstreamQuestion
    from filterd.wire import ParsedResponse, Record


LONGEST = 12


@dataclass(frozen=True)
class Chain:
    """Records that lead from ``qname`` to an address, over the name ``hidden``.

    ``ends``: they reach it; otherwise they run in a circle.
    """

    qname: str
    hidden: str
    ends: bool
    aliases: int
    records: tuple[str, ...]

    @property
    def followed(self) -> bool:
        """Whether a resolver gives an answer for it at all."""
        return self.ends and self.aliases <= 11

    def respond(self, query: dns.message.Message) -> dns.message.Message:
        """Answer as an upstream that sends the whole chain at once."""
        response = dns.message.make_response(query)
        for record in self.records:
            owner, rtype, data = record.split()
            response.answer.append(dns.rrset.from_text(owner, 300, "IN", rtype, data))
        return response


def a_chain(number: int, random: Random) -> Chain:
    """Return one chain of 1 to 12 aliases, its records in any order and letter case."""
    aliases = random.randint(1, LONGEST)
    zones = [f"z{number}x{step}.example" for step in range(aliases + 1)]
    zones[random.randint(1, aliases)] = hidden = f"hidden{number}.example"
    ends = random.random() < 0.85
    last = "A 198.18.0.77" if ends else f"CNAME w.{random.choice(zones)}."
    records = [f"w.{zones[-1]}. {last}"]
    for zone, target in pairwise(zones):
        records.append(f"w.{zone}. CNAME w.{target}.")
        if random.random() < 0.2:
            records.append(f"{zone}. DNAME {target}.")
    random.shuffle(records)
    mixed = tuple(_mix_case(record, random) for record in records)
    return Chain(f"w.{zones[0]}", hidden, ends, aliases, mixed)


def _mix_case(record: str, random: Random) -> str:
    owner, rtype, data = record.split()

    def mixed(text: str) -> str:
        return "".join(random.choice((one.lower(), one.upper())) for one in text)

    return f"{mixed(owner)} {rtype} {mixed(data)}"


CHAINS = [a_chain(number, Random(number)) for number in range(200)]
BY_NAME = {chain.qname: chain for chain in CHAINS}


@pytest.fixture(scope="module")
def hiding(tmp_path_factory: pytest.TempPathFactory) -> Index:
    """Return an index that lists the hidden name of every chain."""
    names = [chain.hidden for chain in CHAINS]
    lists = {**LISTS, "hidden": ("porn", "domains", False, names)}
    return an_index(tmp_path_factory.mktemp("hiding"), lists)


@pytest.fixture
def chained() -> Iterator[FakeUpstream]:
    def respond(query: dns.message.Message) -> dns.message.Message:
        name = query.question[0].name.to_text(omit_final_dot=True).lower()
        return BY_NAME[name].respond(query)

    with FakeUpstream(respond=respond) as running:
        yield running


def outcomes(serving: Serving) -> list[tuple[int, bool]]:
    """Return the code of every chain's answer, and whether there was anything in it."""
    responses = [serving.ask(chain.qname) for chain in CHAINS]
    return [(int(response.rcode()), bool(response.answer)) for response in responses]


BLOCKED, FAILED, ANSWERED = (0, False), (2, False), (0, True)


def expected(blocked: bool) -> list[tuple[int, bool]]:
    answered = BLOCKED if blocked else ANSWERED
    return [answered if chain.followed else FAILED for chain in CHAINS]


def test_the_chains_are_of_all_sorts() -> None:
    def count(of: str) -> int:
        return sum(any(f" {of} " in record for record in chain.records) for chain in CHAINS)

    assert {chain.aliases for chain in CHAINS} == set(range(1, 13))
    assert count("DNAME") > 50
    assert sum(not chain.ends for chain in CHAINS) > 15
    assert sum(chain.followed for chain in CHAINS) > 100


def test_a_hidden_name_is_found_cold_and_warm(hiding: Index, chained: FakeUpstream) -> None:
    with Serving(a_site(hiding, [chained])) as serving:
        assert outcomes(serving) == expected(blocked=True)
        asked = len(chained.asked)
        assert outcomes(serving) == expected(blocked=True)
        assert chained.asked[asked:] == [
            question for question in chained.asked[asked:] if not _chain_of(question).followed
        ], "what could be followed is kept"


def _chain_of(question: str) -> Chain:
    return BY_NAME[question.split(maxsplit=1)[0]]


def test_a_name_that_a_reload_blocks_is_found_in_what_was_kept(
    index: Index, hiding: Index, chained: FakeUpstream
) -> None:
    with Serving(a_site(index, [chained])) as serving:
        assert outcomes(serving) == expected(blocked=False)
        serving.sites.current = a_site(hiding, [chained])
        assert outcomes(serving) == expected(blocked=True)


def test_control_without_the_safeguard_it_would_reach_the_client(
    hiding: Index, chained: FakeUpstream, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Filter, "_judge_targets", lambda *said: said[-1])
    with Serving(a_site(hiding, [chained])) as serving:
        assert outcomes(serving) == expected(blocked=False)


SECTIONS = ["answer", "authority", "additional"]
FORGED = [
    "bank.example.org. 300 IN A 198.18.0.66",
    "bank.example.org. 300 IN NS ns.evil.example.",
    "example.org. 300 IN DNAME evil.example.",
    "example.org. 300 IN NS ns.evil.example.",
    "com. 300 IN NS ns.evil.example.",
    "bank.example.org. 300 IN CNAME evil.example.",
]


def generous(section: str, line: str) -> FakeUpstream:
    """Return an upstream that answers most names well, and adds unsolicited records."""

    def respond(query: dns.message.Message) -> dns.message.Message:
        response = dns.message.make_response(query)
        name = query.question[0].name
        address = "198.18.0.7" if name.to_text() == "bank.example.org." else "198.18.0.5"
        response.answer.append(dns.rrset.from_text(name, 300, "IN", "A", address))
        if name.to_text() != "bank.example.org.":
            owner, ttl, rclass, rtype, data = line.split()
            forged = dns.rrset.from_text(owner, int(ttl), rclass, rtype, data)
            getattr(response, section).append(forged)
        return response

    return FakeUpstream(respond=respond)


@pytest.mark.parametrize("section", SECTIONS)
@pytest.mark.parametrize("line", FORGED)
@pytest.mark.parametrize("do", [False, True])
def test_records_outside_the_question_are_neither_sent_nor_kept(
    index: Index, section: str, line: str, do: bool
) -> None:
    with generous(section, line) as upstream, Serving(a_site(index, [upstream])) as serving:
        first = serving.ask("www.example.com", do=do)
        assert [rrset.to_text() for rrset in first.answer] == [
            "www.example.com. 300 IN A 198.18.0.5"
        ]
        assert (first.authority, first.additional) == ([], [])
        second = serving.ask("bank.example.org", do=do)
        assert [rdata.to_text() for rrset in second.answer for rdata in rrset] == ["198.18.0.7"]
        assert upstream.asked == ["www.example.com A", "bank.example.org A"]


def test_control_without_the_safeguard_it_would_be_sent(
    index: Index, monkeypatch: pytest.MonkeyPatch
) -> None:
    def everything(
        response: ParsedResponse, question: UpstreamQuestion
    ) -> tuple[list[Record], list[Record], bytes]:
        return [], list(response.records), question.qname

    monkeypatch.setattr(forwarder, "Flights", singleflight.Flights)
    monkeypatch.setattr(resolution, "_chain", everything)
    upstream = generous("additional", FORGED[0])
    with upstream, Serving(a_site(index, [upstream])) as serving:
        assert len(serving.ask("www.example.com").additional) == 1


@pytest.mark.parametrize(
    "line", ["example.com. 300 IN A 10.0.0.1", "org. 300 IN SOA a. b. 1 1 1 1 1"]
)
def test_the_soa_of_a_stranger_is_not_taken(index: Index, line: str) -> None:
    def respond(query: dns.message.Message) -> dns.message.Message:
        response = dns.message.make_response(query)
        response.set_rcode(dns.rcode.NXDOMAIN)
        owner, ttl, rclass, rtype, data = line.split(None, 4)
        response.authority.append(dns.rrset.from_text(owner, int(ttl), rclass, rtype, data))
        return response

    with FakeUpstream(respond=respond) as upstream, Serving(a_site(index, [upstream])) as serving:
        for _ in range(2):
            response = serving.ask("nowhere.example.com")
            assert (response.rcode(), response.authority) == (dns.rcode.NXDOMAIN, [])
        assert len(upstream.asked) == 2


def test_a_missing_end_of_a_chain_does_not_deny_its_beginning(
    serving: Serving, upstream: FakeUpstream
) -> None:
    upstream.add("alias.example.com. 300 IN CNAME gone.example.com.")
    missing = serving.ask("alias.example.com")
    assert missing.rcode() == dns.rcode.NXDOMAIN
    assert [rrset.rdtype for rrset in missing.answer] == [dns.rdatatype.CNAME]
    alias = serving.ask("alias.example.com", "CNAME")
    assert (alias.rcode(), len(alias.answer)) == (dns.rcode.NOERROR, 1)
    assert serving.ask("alias.example.com").rcode() == dns.rcode.NXDOMAIN
    assert serving.ask("gone.example.com").rcode() == dns.rcode.NXDOMAIN
    assert upstream.asked == [
        "alias.example.com A",
        "alias.example.com CNAME",
        "gone.example.com A",
    ]


DNAMES = {
    "beside an address": [
        "example.com. 300 IN DNAME example.net.",
        "www.example.com. 300 IN A 198.18.0.1",
    ],
    "beside another alias": [
        "example.com. 300 IN DNAME example.net.",
        "www.example.com. 300 IN CNAME www.example.org.",
        "www.example.org. 300 IN A 198.18.0.1",
    ],
    "above what the alias leads to": [
        "www.example.com. 300 IN CNAME www.example.org.",
        "example.org. 300 IN DNAME example.net.",
        "www.example.org. 300 IN A 198.18.0.1",
    ],
    "of a top-level domain": [
        "com. 300 IN DNAME evil.example.",
        "www.example.com. 300 IN A 198.18.0.1",
    ],
}


def _saying(records: list[str]) -> FakeUpstream:
    def respond(query: dns.message.Message) -> dns.message.Message:
        response = dns.message.make_response(query)
        for record in records:
            owner, ttl, rclass, rtype, data = record.split()
            response.answer.append(dns.rrset.from_text(owner, int(ttl), rclass, rtype, data))
        return response

    return FakeUpstream(respond=respond)


@pytest.mark.parametrize("do", [False, True])
@pytest.mark.parametrize("records", DNAMES.values(), ids=DNAMES)
def test_a_dname_that_made_nothing_of_the_chain_is_not_passed_on(
    index: Index, records: list[str], do: bool
) -> None:
    with _saying(records) as upstream, Serving(a_site(index, [upstream])) as serving:
        for _ in range(2):
            answer = serving.ask("www.example.com", do=do).answer
            assert dns.rdatatype.DNAME not in [rrset.rdtype for rrset in answer]
            assert str(answer[-1][0]) == "198.18.0.1"


def test_control_without_looking_at_what_it_made_it_would_be(
    index: Index, monkeypatch: pytest.MonkeyPatch
) -> None:
    def any_above(_: object, dnames: dict[bytes, list[Record]], *__: object) -> list[Record]:
        return [record for records in dnames.values() for record in records]

    monkeypatch.setattr(resolution, "_take_dname", any_above)
    with (
        _saying(DNAMES["beside another alias"]) as upstream,
        Serving(a_site(index, [upstream])) as serving,
    ):
        answer = serving.ask("www.example.com").answer
    assert dns.rdatatype.DNAME in [rrset.rdtype for rrset in answer]
