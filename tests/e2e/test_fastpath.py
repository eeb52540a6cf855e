# SPDX-License-Identifier: Apache-2.0
"""Two listeners of one site, one with the fast path and one without, asked the same.

Every answer is compared octet by octet, IDs set equal and TTLs aside: those of the
fast path may be lower by the age that it counts, never higher.
"""

from __future__ import annotations

import random
from contextlib import ExitStack
from typing import TYPE_CHECKING, Any

import dns.edns
import pytest

from filterd.policy.model import Audience, LocalZone, ZoneRecord
from filterd.server import _datagrams_py, _fastpath_py
from filterd.server.fastpath import NATIVE
from filterd.wire.response import parse_response
from tests.support.policies import NOW, a_pin, allow, an_index, block, wire
from tests.support.serving import GRADE_1, GRADE_11, STAFF, Serving, a_site
from tests.support.upstream import FakeUpstream
from tests.support.wire import a_query

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from filterd.lists.index import Index

LISTS: Any = {
    "porn": ("porn", "domains", False, ["porn.example", "tracker.example"]),
    "malware": ("malware", "domains", True, ["malware.example"]),
    "social": ("social-media", "domains", True, ["social.example"]),
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
    "edge.example.com",
    "printer.school.lan",
    "wpad.porn.example",
    "localhost",
    "porn",
)
RULES = (
    allow("x.social.example", Audience.GRADE, "1"),
    block("www.example.com", Audience.CLIENT, STAFF),
    block("edge.example.com", starts_at=NOW + 20, ends_at=NOW + 40),
)
SOURCES = (GRADE_1, GRADE_11, STAFF, "127.0.100.2")
ROUNDS = 260


@pytest.fixture(scope="module")
def lists(tmp_path_factory: pytest.TempPathFactory) -> Index:
    return an_index(tmp_path_factory.mktemp("lists"), LISTS)


@pytest.fixture(scope="module")
def answering() -> Iterator[FakeUpstream]:
    with FakeUpstream() as running:
        running.add(
            *(f"{name}. 300 IN A 192.0.2.{n}" for n, name in enumerate(NAMES[:12], 1)),
            "edge.example.com. 300 IN A 192.0.2.30",
            "short.example.com. 5 IN A 192.0.2.31",
            "pin.porn.example. 300 IN A 192.0.2.32",
            *(f"big.example.com. 300 IN TXT {'x' * 150}{n}" for n in range(5)),
        )
        running.records["alias.example.com A"] = [
            "alias.example.com. 300 IN CNAME deep.porn.example.",
            "deep.porn.example. 300 IN A 192.0.2.40",
        ]
        yield running


class Both:
    """A site that is served twice, and stubs that ask both."""

    def __init__(self, stack: ExitStack, lists: Index, upstream: FakeUpstream) -> None:
        self._lists, self._upstream = lists, upstream
        self.plain = stack.enter_context(Serving(self.site(), listen=["127.0.0.1"]))
        self.fast = stack.enter_context(Serving(self.site(), listen=["127.0.0.1"], fast=True))
        self.stubs = {
            source: [stack.enter_context(one.stub(source)) for one in (self.plain, self.fast)]
            for source in SOURCES
        }

    def site(self, *, opened: bool = False) -> Any:
        zone = LocalZone(
            wire("school.lan"), (ZoneRecord(wire("printer.school.lan"), 1, 60, bytes(4)),)
        )
        more = (allow("tracker.example"),) if opened else ()
        return a_site(
            self._lists,
            [self._upstream],
            rules=(*RULES, *more),
            pins=[a_pin("pin.porn.example")],
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
    """Say where an answer differs in more than an age."""
    if len(plain) != len(fast):
        return [f"{len(plain)} and {len(fast)} octets: {plain.hex()} {fast.hex()}"]
    found = []
    left, right = bytearray(plain), bytearray(fast)
    for one in parse_response(plain).records:
        place = slice(one.ttl_offset, one.ttl_offset + 4)
        ttls = [int.from_bytes(message[place]) for message in (plain, fast)]
        if one.rtype != 41:
            if not max(0, ttls[0] - 60) <= ttls[1] <= ttls[0]:
                found.append(f"TTL {ttls[1]} instead of {ttls[0]}")
            left[place] = right[place] = bytes(4)
    return found if left == right else [*found, f"{plain.hex()} {fast.hex()}"]


def cased(query: bytes, chance: random.Random) -> bytes:
    """Write the letters of a question's name in any case."""
    end = query.index(b"\0", 12)
    letters = bytes(
        o - 32 if 97 <= o <= 122 and chance.random() < 0.3 else o for o in query[12:end]
    )
    return query[:12] + letters + query[end:]


def a_question(chance: random.Random) -> bytes:
    options = [dns.edns.GenericOption(chance.choice((3, 10, 11, 12)), b"")]
    query = a_query(
        chance.choice(NAMES),
        chance.choice(("A", "A", "A", "AAAA", "TXT", "HTTPS", "ANY")),
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


def live(both: Both, seed: int) -> tuple[list[str], int]:
    """Let time pass, sites change and clients ask; return where the two differ, and the count."""
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
    assert plain == fast == 3 * ROUNDS  # everybody is counted, whoever answered
    return found, chance.randrange(2)


@pytest.fixture(params=["native", "pure"])
def twin(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> str:
    if request.param == "pure":
        monkeypatch.setattr("filterd.server.fastpath.Core", _fastpath_py.Core)
        monkeypatch.setattr("filterd.server.udp.Datagrams", _datagrams_py.Datagrams)
    elif not NATIVE:
        pytest.skip("it is not built")
    return str(request.param)




@pytest.mark.parametrize("seed", range(2))
def test_who_is_answered_fast_gets_what_the_chain_says(
    twin: str, lists: Index, answering: FakeUpstream, seed: int, tmp_path: Path
) -> None:
    with ExitStack() as stack:
        both = Both(stack, lists, answering)
        answered: list[int] = []
        assert both.fast.fast is not None
        take = both.fast.fast.core.take_counts
        found, _ = live(both, seed)
        assert found == []
        assert twin
        assert take() == []
        assert not answered
