# SPDX-License-Identifier: Apache-2.0
"""filterd in front of an Unbound, against it: every difference has a reason.

The Unbound has three zones of all types, one of them signed, and validates.
``FILTERD_E2E_QUERIES`` is the number of questions (3,000 unless set),
``FILTERD_E2E_SEED`` their seed; ``make e2e`` asks 100,000.
"""

from __future__ import annotations

import os
import sys
import time
from collections import Counter, defaultdict
from collections.abc import Callable
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, TypeAlias

import dns.name
import dns.rcode
import dns.zone
import pytest

from filterd.wire import EdeCode, RRType
from tests.e2e.comparing import FLAGS, Said, differing, said
from tests.e2e.lab_questions import LabQuestion, LabQuestions
from tests.e2e.lab_zone import lab_zone
from tests.support.asking import Asker, AskerOfUnbound
from tests.support.daemon import SOURCES, build_lists, free_port, serving, write_site
from tests.support.signing import ZoneKey, sign
from tests.support.unbound import Unbound, unbound
from tests.support.wire import a_query

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence
    from pathlib import Path

    from tests.e2e.comparing import Key


_TC = 0x02


@dataclass(frozen=True, slots=True)
class Case:
    """One question and both answers, whole: what came truncated was fetched by TCP."""

    question: LabQuestion
    direct: Said
    through: Said
    was_truncated: tuple[bool, bool]
    """By UDP, of the direct answer and of the other."""
    took_s: float = 0.0
    """The longest that it has taken to ask both: TTLs went down in it, and what one of them cached
    then is as much younger there."""


Holds: TypeAlias = Callable[[Case], bool]


@dataclass(frozen=True, slots=True)
class Reason:
    """Why some fields may differ, and where."""

    text: str
    fields: frozenset[str]
    holds: Holds


@dataclass(slots=True)
class Findings:
    """How many questions each reason explained, and what nothing explains."""

    asked: int = 0
    explained: Counter[str] = field(default_factory=Counter)
    unexplained: dict[str, list[Case]] = field(default_factory=lambda: defaultdict(list))

    def __str__(self) -> str:
        rows = [f"{self.asked:>7} questions"]
        rows += [f"{count:>7} {text}" for text, count in self.explained.most_common()]
        rows += [
            f"{len(cases):>7} UNEXPLAINED {name}: {'; '.join(_shown(c) for c in cases[:3])}"
            for name, cases in self.unexplained.items()
        ]
        return "\n".join(rows)


def _shown(case: Case) -> str:
    took = f"  both took {case.took_s:.3f} s"
    return f"{case.question}\n  direct {case.direct}\n  through {case.through}\n{took}"


def compare(
    questions: Iterable[LabQuestion],
    servers: tuple[Asker, Asker],
    reasons: Sequence[Reason],
    fields_beside: Callable[[Case], list[str]],
) -> Findings:
    """Ask both servers all questions, one at a time.

    Args:
        questions: what to ask.
        servers: asked directly, and the one that is compared.
        reasons: tried in order; the first that holds explains a difference.
        fields_beside: further fields that differ in a case, such as TTLs.
    """
    return sort(_cases(questions, servers), reasons, fields_beside)


def _cases(questions: Iterable[LabQuestion], servers: tuple[Asker, Asker]) -> Iterator[Case]:
    longest_s = 0.0
    for question in questions:
        case = ask(question, servers)
        longest_s = max(longest_s, case.took_s)
        yield replace(case, took_s=longest_s)


def sort(
    cases: Iterable[Case], reasons: Sequence[Reason], fields_beside: Callable[[Case], list[str]]
) -> Findings:
    """Sort what differs in each case by its reason."""
    findings = Findings()
    for case in cases:
        findings.asked += 1
        for name in [*differing(case.direct, case.through), *fields_beside(case)]:
            reason = next((r for r in reasons if name in r.fields and r.holds(case)), None)
            if reason is None:
                findings.unexplained[name].append(case)
            else:
                findings.explained[f"{name}: {reason.text}"] += 1
    return findings


def ask(question: LabQuestion, servers: tuple[Asker, Asker]) -> Case:
    """Ask both; where either truncates, both are asked again by TCP."""
    wire = question.wire
    first, second = servers
    began, truncated = time.perf_counter(), (False, False)
    if not question.by_tcp:
        direct, through = first.by_udp(wire), second.by_udp(wire)
        truncated = (bool(direct[2] & _TC), bool(through[2] & _TC))
    if question.by_tcp or any(truncated):
        direct, through = first.by_tcp(wire), second.by_tcp(wire)
    took_s = time.perf_counter() - began
    return Case(question, said(direct), said(through), truncated, took_s)


pytestmark = pytest.mark.long

QUERIES = int(os.environ.get("FILTERD_E2E_QUERIES", "3000"))
SEED = int(os.environ.get("FILTERD_E2E_SEED", "1"))

LONGEST_TTL_S = 600
"""``client_ttl_max`` of the shipped tiers."""

STALE = {EdeCode.STALE_ANSWER, EdeCode.STALE_NXDOMAIN_ANSWER}
STALE_TTL_S = 30
CLOCKS_APART_S = 2
"""Two caches round the age of one record each for itself."""

ALL_FIELDS = frozenset(
    (
        *("rcode", "flags", "AA", "RA", "AD", "CD", "TC by UDP"),
        *("answer", "authority", "additional", "aliases", "TTL", "edns", "edes"),
    )
)

TRANSFERS_AND_META = frozenset(
    (RRType.OPT, RRType.TKEY, RRType.TSIG, RRType.IXFR, RRType.AXFR, RRType.MAILB, RRType.MAILA)
)
LOCAL_NAMES = [
    dns.name.from_text(text)
    for text in (
        *("localhost", "local", "onion", "home.arpa", "168.192.in-addr.arpa", "resolver.arpa"),
        *("use-application-dns.net", "wpad.lab.example"),
    )
]


def _is_local(case: Case) -> bool:
    name = case.question.name
    return len(name) == 2 or any(name.is_subdomain(one) for one in LOCAL_NAMES)


def _ttls(case: Case) -> list[tuple[int, int]]:
    """Return the TTLs, here and there, of the RRsets that both answers have."""
    there = case.through.ttls
    return [(ttl_s, there[key]) for key, ttl_s in case.direct.ttls.items() if key in there]


def _agree(case: Case, direct_s: int, through_s: int) -> bool:
    return abs(direct_s - through_s) <= CLOCKS_APART_S + case.took_s


def _all_agree(case: Case, *, expired: bool = False) -> bool:
    """Return whether all TTLs are as they should be; ``expired``: or new, where one ran out."""
    return all(
        _agrees(case, key)
        or (expired and any(_agree(case, one.ttls[key], 0) for one in (case.direct, case.through)))
        for key in case.direct.ttls.keys() & case.through.ttls.keys()
    )


def _agrees(case: Case, key: Key) -> bool:
    """Return whether one TTL is right; a denial's SOA has its remaining TTL.

    A synthesised CNAME lives no longer than its DNAME; Unbound may return more.
    """
    direct, through = case.direct.ttls[key], case.through.ttls[key]
    if key[1] == RRType.CNAME:
        dnames = [
            ttl_s for (_, rtype, _), ttl_s in case.direct.ttls.items() if rtype == RRType.DNAME
        ]
        direct = min(direct, *dnames, direct)
    if key[1] == RRType.SOA and key not in case.direct.answer:
        minima = [int.from_bytes(rdata[-4:]) for rdata in case.direct.authority[key]]
        return through <= min(direct + CLOCKS_APART_S, LONGEST_TTL_S, *minima)
    return _agree(case, min(direct, LONGEST_TTL_S), through)


def _denied_by_an_ancestor(case: Case) -> bool:
    """Return whether all that was dropped is an ancestor's alias, with which nothing is denied.

    Unbound remembers of ``to-nowhere`` that it is an alias and NXDOMAIN, and takes that for
    a denial of all beneath (RFC 8020). But that code is about the last name (RFC 6604 §3),
    and no alias leads there from a name beneath: its answer has none.
    """
    qname, said = case.question.name, case.direct.answer
    owners = {dns.name.from_wire(owner, 0)[0] for owner, _, _ in said}
    return (
        case.direct.rcode == case.through.rcode == dns.rcode.NXDOMAIN
        and not case.through.answer
        and all(qname != owner and qname.is_subdomain(owner) for owner in owners)
        and all(rtype in (RRType.CNAME, RRType.RRSIG) for _, rtype, _ in said)
    )


UNTRUSTED = "AD is cleared: the upstream is not marked trusted"

REASONS = [
    Reason(
        "special-use names and single labels are answered here",
        ALL_FIELDS,
        _is_local,
    ),
    Reason(
        "ANY gets an HINFO and is not asked (RFC 8482)",
        ALL_FIELDS,
        lambda case: case.question.qtype == RRType.ANY,
    ),
    Reason(
        "transfers and meta types are refused, where Unbound says FORMERR",
        ALL_FIELDS,
        lambda case: case.question.qtype in TRANSFERS_AND_META and case.through.rcode == 5,
    ),
    Reason(
        "a FORMERR for a meta type says nothing of the name: SERVFAIL, or REFUSED without RD",
        ALL_FIELDS,
        lambda case: 128 <= case.question.qtype <= 254 and case.through.rcode in (2, 5),
    ),
    Reason(
        UNTRUSTED,
        frozenset(("AD",)),
        lambda case: not case.through.flag("AD"),
    ),
    Reason(
        "additional records are dropped",
        frozenset(("additional",)),
        lambda case: not case.through.additional,
    ),
    Reason(
        "asked with CD, Unbound says once what it thinks; an EDE is kept with its answer",
        frozenset(("edes",)),
        lambda case: (
            case.question.flags & 0x10 > 0
            and case.direct.edes ^ case.through.edes
            <= {EdeCode.DNSSEC_INDETERMINATE, EdeCode.DNSSEC_BOGUS}
        ),
    ),
    Reason(
        "of a denial by an ancestor (RFC 8020) that ancestor's alias is no part (RFC 6604)",
        frozenset(("answer", "aliases")),
        _denied_by_an_ancestor,
    ),
    Reason(
        "a failure that is repeated from the cache says so by EDE 13 (RFC 8914 §4.14)",
        frozenset(("edes",)),
        lambda case: (
            case.direct.rcode == case.through.rcode == 2
            and case.direct.edes ^ case.through.edes == {EdeCode.CACHED_ERROR}
        ),
    ),
    Reason(
        "where asking takes too long, or has failed thrice, an old answer is given (RFC 8767)",
        frozenset(("TTL", "edes")),
        lambda case: (
            bool(case.through.edes & STALE)
            and all(ttl_s == STALE_TTL_S for ttl_s in case.through.ttls.values())
        ),
    ),
    Reason(
        "no TTL is longer than client_ttl_max",
        frozenset(("TTL",)),
        lambda case: all(
            _agree(case, min(direct, LONGEST_TTL_S), through) for direct, through in _ttls(case)
        ),
    ),
    Reason(
        "a denial holds as long as its SOA (RFC 2308 §5), a DNAME's alias as that (RFC 6672)",
        frozenset(("TTL",)),
        _all_agree,
    ),
    Reason(
        "what expires between both questions, or is about to here or there, is new to one",
        frozenset(("TTL",)),
        lambda case: _all_agree(case, expired=True),
    ),
]
"""The first that holds explains a difference in one of its fields."""


def fields_beside(case: Case) -> list[str]:
    """Compare what is no property of one answer alone."""
    found = []
    if not all(_agree(case, direct, through) for direct, through in _ttls(case)):
        found.append("TTL")
    if case.was_truncated[0] is not case.was_truncated[1]:
        found.append("TC by UDP")
    return found


@pytest.fixture(scope="module")
def zones() -> dict[str, dns.zone.Zone]:
    origins = ("lab.example.", "other.example.", "signed.example.")
    made = {origin: lab_zone(origin, seed) for seed, origin in enumerate(origins)}
    sign(made["signed.example."], ZoneKey(1))
    return made


@pytest.fixture(scope="module")
def upstream(
    zones: dict[str, dns.zone.Zone], tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Unbound]:
    folder = tmp_path_factory.mktemp("unbound")
    anchor = ZoneKey(1).anchor("signed.example.")
    with unbound(folder, zones=zones, anchors=[anchor]) as running:
        yield running


@contextmanager
def filterd_before(
    upstream: Unbound, folder: Path, more: str = "", *, trusted: bool = False
) -> Iterator[Asker]:
    """Start a daemon with an open policy; yield a client that asks it as staff."""
    port = free_port()
    rate = "rate_limit: {queries_a_second: 100000, burst: 1000000}\n"
    config = write_site(folder / "site", port=port, upstream=upstream.port, more=rate + more)
    if trusted:
        site, server = config / "site.yaml", f"'127.0.0.1:{upstream.port}'"
        text = site.read_text(encoding="utf-8")
        entry = f"{{server: {server}, trusted: true}}"
        site.write_text(text.replace(server, entry), encoding="utf-8")
    build_lists(config, folder / "state")
    with (
        serving(config, folder / "state"),
        Asker(("127.0.0.1", port), SOURCES["staff"]) as asker,
    ):
        yield asker


@pytest.mark.parametrize("trusted", [False, True], ids=["untrusted", "trusted"])
def test_every_difference_to_the_upstream_has_a_reason(
    zones: dict[str, dns.zone.Zone],
    upstream: Unbound,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    *,
    trusted: bool,
) -> None:
    questions = LabQuestions(zones.values(), SEED + trusted).draw(QUERIES // 2)
    reasons = [one for one in REASONS if one.text != UNTRUSTED or not trusted]
    with (
        filterd_before(upstream, tmp_path, trusted=trusted) as through,
        AskerOfUnbound(upstream.address) as direct,
    ):
        findings = compare(questions, (direct, through), reasons, fields_beside)
    with capsys.disabled():
        sys.stdout.write(f"\n{findings}\n")
    assert not findings.unexplained


A_HOST = LabQuestion(
    dns.name.from_text("host1.lab.example"), RRType.A, a_query("host1.lab.example"), by_tcp=False
)


def test_control_one_forged_record_would_be_noticed(upstream: Unbound, tmp_path: Path) -> None:
    lie = "local_zones: [{name: host1.lab.example, records: ['@ 300 A 198.18.113.250']}]\n"
    with filterd_before(upstream, tmp_path, lie) as through, Asker(upstream.address) as direct:
        findings = compare([A_HOST], (direct, through), REASONS, fields_beside)
    assert "answer" in findings.unexplained


def _with_flag(said: Said, flag: str) -> Said:
    return replace(said, flags=said.flags ^ FLAGS[flag])


def _without_signatures(said: Said) -> Said:
    kept = {key: data for key, data in said.answer.items() if key[1] != RRType.RRSIG}
    return replace(said, answer=kept)


def _with_ttls(said: Said, ttl_s: int) -> Said:
    return replace(said, ttls=dict.fromkeys(said.ttls, ttl_s))


LIES: dict[str, tuple[str, Callable[[Said], Said]]] = {
    "another response code": ("rcode", lambda said: replace(said, rcode=3)),
    "another opcode": ("opcode", lambda said: replace(said, opcode=1)),
    "another question": ("question", lambda said: replace(said, question=said.question[::-1])),
    "no answer": ("answer", lambda said: replace(said, answer={})),
    "no signatures": ("answer", _without_signatures),
    "a record twice": ("answer", lambda said: replace(said, answer_records=9)),
    "a record that nobody asked for": (
        "authority",
        lambda said: replace(said, authority=said.answer),
    ),
    "an additional record": ("additional", lambda said: replace(said, additional=said.answer)),
    "an alias": ("aliases", lambda said: replace(said, aliases=(b"\0",))),
    "AA": ("AA", lambda said: _with_flag(said, "AA")),
    "no RA": ("RA", lambda said: _with_flag(said, "RA")),
    "no RD": ("RD", lambda said: _with_flag(said, "RD")),
    "CD": ("CD", lambda said: _with_flag(said, "CD")),
    "TC": ("TC", lambda said: _with_flag(said, "TC")),
    "the reserved bit": ("flags", lambda said: replace(said, flags=said.flags | 0x40)),
    "no OPT": ("edns", lambda said: replace(said, edns=None)),
    "an extended error": ("edes", lambda said: replace(said, edes=frozenset((15,)))),
    "a TTL of a minute less": ("TTL", lambda said: _with_ttls(said, 540)),
    "a TTL of a minute more": ("TTL", lambda said: _with_ttls(said, 660)),
}


@pytest.mark.parametrize(("field", "lie"), LIES.values(), ids=LIES)
def test_control_every_kind_of_lie_would_be_noticed(
    upstream: Unbound, field: str, lie: Callable[[Said], Said]
) -> None:
    wire = a_query("all-types.signed.example", "TXT", do=True)
    question = LabQuestion(dns.name.from_text("all-types.signed.example"), RRType.TXT, wire, True)
    with Asker(upstream.address) as direct:
        said_directly = ask(question, (direct, direct)).direct
    truth = _with_ttls(said_directly, 600)
    case = Case(question, truth, lie(truth), (False, False))
    findings = sort([case], REASONS, fields_beside)
    assert [*findings.unexplained] == [field]
