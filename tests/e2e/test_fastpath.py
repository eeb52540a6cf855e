# SPDX-License-Identifier: Apache-2.0
"""The same questions to two listeners, with the fast path and without.

Answers are compared octet by octet, with equal IDs and without TTLs: those of the fast
path may be lower by the age that it counts, never higher.
"""

from __future__ import annotations

import os
import random
from contextlib import ExitStack
from typing import TYPE_CHECKING, Any

import dns.edns
import pytest

from filterd.fastpath.core_filler import FastPath
from filterd.policy.model import Audience, LocalZone, ZoneRecord
from filterd.wire import RRType
from filterd.wire.response import parse_response
from tests.support.native_faults import serve_with
from tests.support.policies import NOW, a_pin, allow, an_index, block, wire
from tests.support.serving import GRADE_1, GRADE_11, STAFF, Serving, a_site
from tests.support.upstream import FakeUpstream
from tests.support.wire import a_query

if TYPE_CHECKING:
    from collections.abc import Iterator

    from filterd.lists.index import Index

pytestmark = pytest.mark.usefixtures("needs_native")

LISTS: Any = {
    "porn": ("porn", "domains", False, ["porn.example", "tracker.example"]),
    "malware": ("malware", "domains", True, ["malware.example"]),
    "social": ("social-media", "domains", True, ["social.example", "opened.example"]),
    "games": ("games", "adblock", False, ["||games.example^", "@@||good.games.example^"]),
    "typed": ("porn", "adblock", False, ["||typed.example^$dnstype=A", "|exact.example^"]),
}
NAMES = (
    "porn.example",
    "a.b.porn.example",
    "malware.example",
    "x.social.example",
    "social.example",
    "games.example",
    "good.games.example",
    "typed.example",
    "exact.example",
    "www.example.com",
    "big.example.com",
    "alias.example.com",
    "pin.porn.example",
    "tracker.example",
    "opened.example",
    "edge.example.com",
    "printer.school.lan",
    "wpad.porn.example",
    "localhost",
    "porn",
    *("i9bet77.example", "www.l9-bet4.com", "xn--i9bt16-dva.example", "i9bet.example"),
    *("chatty9.example", "i9bet1.example", "leads.example.com"),
)
LOOKALIKES = {"porn": ["i9bet#"], "social-media": ["chatty#"]}
RULES = (
    allow("x.social.example", Audience.GRADE, "1"),
    block("www.example.com", Audience.CLIENT, STAFF),
    block("edge.example.com", starts_at=NOW + 20, ends_at=NOW + 40),
)
SOURCES = (GRADE_1, GRADE_11, STAFF, "127.0.100.2")
ROUNDS = 260
SEEDS = int(os.environ.get("FILTERD_FAST_SEEDS", "2"))
"""Each some 800 questions; `make fuzz` asks more."""


@pytest.fixture(scope="module")
def lists(tmp_path_factory: pytest.TempPathFactory) -> Index:
    return an_index(tmp_path_factory.mktemp("lists"), LISTS, lookalikes=LOOKALIKES)


@pytest.fixture(scope="module")
def answering() -> Iterator[FakeUpstream]:
    with FakeUpstream() as running:
        running.add(
            *(
                f"{name}. 300 IN A 198.18.0.{n}"
                for n, name in enumerate(NAMES, 1)
                if n not in (11, 12, 13, len(NAMES))
            ),
            "edge.example.com. 300 IN A 198.18.0.30",
            "long.example.com. 3000 IN A 198.18.0.33",
            "short.example.com. 5 IN A 198.18.0.31",
            "pin.porn.example. 300 IN A 198.18.0.32",
            *(f"big.example.com. 300 IN TXT {'x' * 150}{n}" for n in range(5)),
        )
        running.records["alias.example.com A"] = [
            "alias.example.com. 300 IN CNAME deep.porn.example.",
            "deep.porn.example. 300 IN A 198.18.0.40",
        ]
        running.records["leads.example.com A"] = [
            "leads.example.com. 300 IN CNAME i9bet5.example.",
            "i9bet5.example. 300 IN A 198.18.0.41",
        ]
        yield running


class Both:
    """A site that is served twice, and stubs that ask both."""

    def __init__(self, stack: ExitStack, lists: Index, upstream: FakeUpstream) -> None:
        self._lists, self._upstream = lists, upstream
        self.plain = stack.enter_context(Serving(self.site(), listen=["127.0.0.1"]))
        self.fast = stack.enter_context(Serving(self.site(), listen=["127.0.0.1"], fast=True))
        self.by_the_chain = 0
        assert self.fast.fast is not None
        noted = self.fast.fast.noted

        def counted(*about: Any) -> None:
            self.by_the_chain += 1
            noted(*about)

        self.fast.resolver.noted = counted
        self.stubs = {
            source: [stack.enter_context(one.stub(source)) for one in (self.plain, self.fast)]
            for source in SOURCES
        }

    def site(self, *, opened: bool = False) -> Any:
        zone = LocalZone(
            wire("school.lan"), (ZoneRecord(wire("printer.school.lan"), 1, 60, bytes(4)),)
        )
        more = (allow("opened.example"),) if opened else ()
        return a_site(
            self._lists,
            [self._upstream],
            rules=(*RULES, *more),
            pins=[a_pin("pin.porn.example"), a_pin("i9bet1.example")],
            local_zones=[zone],
        )

    def ask(self, query: bytes, source: str) -> tuple[bytes, bytes]:
        plain, fast = (stub.ask(query) for stub in self.stubs[source])
        return plain, fast

    def change(self, *, opened: bool) -> None:
        for one in (self.plain, self.fast):
            one.sites.current = self.site(opened=opened)

    def advance(self, seconds: float) -> None:
        for one in (self.plain, self.fast):
            one.run(lambda one=one: one.clock.advance(seconds))  # type: ignore[misc]


def differences(plain: bytes, fast: bytes) -> list[str]:
    """Report the differences of an answer beyond its age."""
    if len(plain) != len(fast):
        return [f"{len(plain)} and {len(fast)} octets: {plain.hex()} {fast.hex()}"]
    found = []
    left, right = bytearray(plain), bytearray(fast)
    for record in parse_response(plain).records:
        place = slice(record.ttl_offset, record.ttl_offset + 4)
        ttls = [int.from_bytes(message[place]) for message in (plain, fast)]
        if record.rtype != 41:
            if not max(0, ttls[0] - 60) <= ttls[1] <= ttls[0]:
                found.append(f"TTL {ttls[1]} instead of {ttls[0]}: {plain.hex()} {fast.hex()}")
            left[place] = right[place] = bytes(4)
        if record.rtype == RRType.SOA:
            # For how long a denial holds is the lesser of its TTL, which is held above, and this.
            minimum = slice(record.end - 4, record.end)
            left[minimum] = right[minimum] = bytes(4)
    return found if left == right else [*found, f"{plain.hex()} {fast.hex()}"]


def cased(query: bytes, chance: random.Random) -> bytes:
    """Write the letters of a question's name in any case."""
    end = query.index(b"\0", 12)
    letters = bytes(
        o - 32 if 97 <= o <= 122 and chance.random() < 0.3 else o for o in query[12:end]
    )
    return query[:12] + letters + query[end:]


def a_question(chance: random.Random) -> bytes:
    options = [
        dns.edns.GenericOption(dns.edns.OptionType.make(code), b"")
        for code in chance.choices((3, 10, 11, 12))
    ]
    name, qtype = (
        chance.choice(NAMES),
        chance.choice(("A", "A", "A", "AAAA", "TXT", "HTTPS", "ANY")),
    )
    if chance.random() < 0.3:  # where sizes and edges of time matter
        name, qtype = chance.choice((("big.example.com", "TXT"), ("edge.example.com", "A")))
    query = a_query(
        name,
        qtype,
        edns=chance.random() < 0.7,
        udp_size=chance.choice((512, 700, 1232, 4096)),
        options=options if chance.random() < 0.2 else (),
        do=chance.random() < 0.2,
        rd=chance.random() < 0.95,
        cd=chance.random() < 0.1,
        ad=chance.random() < 0.1,
        message_id=chance.randrange(65_536),
    )
    return cased(query, chance) if chance.random() < 0.5 else query


def live(both: Both, seed: int) -> list[str]:
    """Let time pass, sites change and clients ask; return where the two differ."""
    chance = random.Random(seed)
    found: list[str] = []
    questions = [a_question(chance) for _ in range(60)]
    opened = False
    for _ in range(ROUNDS):
        step = chance.random()
        if step < 0.04:
            both.advance(chance.choice((0.4, 3.0, 9.0)))
        elif step < 0.06:
            opened = not opened
            both.change(opened=opened)
        query, source = chance.choice(questions), chance.choice(SOURCES)
        for _ in range(3):
            found += differences(*both.ask(query, source))
    assert both.fast.fast is not None
    both.fast.run(both.fast.fast.settle)
    plain, fast = (sum(one.resolver.counters.values()) for one in (both.plain, both.fast))
    assert plain == fast == 3 * ROUNDS  # every client is counted, by either path
    return found


@pytest.fixture(autouse=True)
def nothing_is_refreshed_ahead(monkeypatch: pytest.MonkeyPatch) -> None:
    """When a refresh comes back is chance, and so would be a difference."""
    monkeypatch.setattr("filterd.resolve.links.cache.MOST_REFRESHES", 0)


@pytest.mark.parametrize("seed", range(SEEDS))
def test_fast_answers_equal_those_of_the_chain(
    lists: Index, answering: FakeUpstream, seed: int
) -> None:
    with ExitStack() as stack:
        both = Both(stack, lists, answering)
        assert live(both, seed) == []
        assert ROUNDS / 4 < both.by_the_chain < 2 * ROUNDS  # of three times as many


FAULTS = {
    "what a rule touches": ("nothing touched", 0),
    "look-alikes": ("no look-alikes", 0),
    "who asks": ("everybody of one group", 0),
    "letter case": ("case lost", 0),
    "sizes": ("any size", 0),
    "lifetimes": ("for ever", 0),
    "flags": (None, 0xFF),
}


@pytest.mark.parametrize("what", FAULTS)
def test_control_without_a_safeguard_the_difference_is_noticed(
    monkeypatch: pytest.MonkeyPatch, lists: Index, answering: FakeUpstream, what: str
) -> None:
    fault, blurred = FAULTS[what]
    serve_with(monkeypatch, fault, blurred=blurred)
    for seed in range(8):
        with ExitStack() as stack:
            if live(Both(stack, lists, answering), seed):
                return
    pytest.fail("nothing was noticed")


def test_control_where_no_fault_is_switched_on_nothing_is_noticed(
    monkeypatch: pytest.MonkeyPatch, lists: Index, answering: FakeUpstream
) -> None:
    serve_with(monkeypatch)
    with ExitStack() as stack:
        assert live(Both(stack, lists, answering), 0) == []


def test_control_without_forgetting_a_changed_site_is_noticed(
    monkeypatch: pytest.MonkeyPatch, lists: Index, answering: FakeUpstream
) -> None:
    begin = FastPath._begin

    def begun_once(self: FastPath, now: float) -> None:
        if self._site is None:
            begin(self, now)
        self._site = self._sites.current
        self.core.at(now, self._clock.wall())

    monkeypatch.setattr(FastPath, "_begin", begun_once)
    for seed in range(8):
        with ExitStack() as stack:
            if live(Both(stack, lists, answering), seed):
                return
    pytest.fail("nothing was noticed")


def repeated_beyond_its_rule(lists: Index, answering: FakeUpstream) -> bool:
    """Return whether a block is repeated when its rule has ended."""
    with ExitStack() as stack:
        both = Both(stack, lists, answering)
        both.advance(39.5)  # a TTL of one second, the least, reaches beyond the edge
        query = a_query("edge.example.com")
        for _ in range(3):
            assert differences(*both.ask(query, STAFF)) == []
        both.advance(0.7)
        return differences(*both.ask(query, STAFF)) != []


def test_a_block_is_repeated_no_longer_than_its_rule_holds(
    lists: Index, answering: FakeUpstream
) -> None:
    assert not repeated_beyond_its_rule(lists, answering)


def test_control_a_block_that_outlives_its_rule_is_noticed(
    monkeypatch: pytest.MonkeyPatch, lists: Index, answering: FakeUpstream
) -> None:
    serve_with(monkeypatch, "beyond the rule")
    assert repeated_beyond_its_rule(lists, answering)


AGES_S = (0, 20, 20, 15, 2_385, 20, 20)
"""What passes before each of the questions, all before the last tenth of the TTL, 3,000 s."""


def ttls_of_a_long_life(both: Both) -> list[tuple[int, int]]:
    """Return the TTLs of one name's address, by the chain and fast, as it grows old."""
    query, found = a_query("long.example.com", edns=False), []
    for age_s in AGES_S:
        both.advance(age_s)
        # Twice: the chain answers a client once that the fast path has forgotten.
        replies = [both.ask(query, GRADE_1) for _ in range(2)][-1]
        chain_s, fast_s = (parse_response(reply).records[0].ttl for reply in replies)
        found.append((chain_s, fast_s))
    return found


def test_the_cap_belongs_on_what_is_left_of_a_ttl(lists: Index, answering: FakeUpstream) -> None:
    """``client_ttl_max`` bounds what a client keeps from now on: no clock that runs down (§9)."""
    with ExitStack() as stack:
        both = Both(stack, lists, answering)
        ttls = ttls_of_a_long_life(both)
        assert both.by_the_chain <= 4  # a client is known for a minute
    assert [chain for chain, _ in ttls] == [600, 600, 600, 600, 560, 540, 520]
    assert all(chain - 1 <= fast <= chain for chain, fast in ttls), ttls


def test_control_a_cap_that_is_counted_down_is_noticed(
    monkeypatch: pytest.MonkeyPatch, lists: Index, answering: FakeUpstream
) -> None:
    serve_with(monkeypatch, "capped once")
    with ExitStack() as stack:
        ttls = ttls_of_a_long_life(Both(stack, lists, answering))
    assert any(fast < chain - 1 for chain, fast in ttls), ttls
