# SPDX-License-Identifier: Apache-2.0
"""Feed mutated queries and upstream answers to the whole chain.

Run as ``python -m tests.fuzz.resolver_fuzz SEEDS COUNT SEED`` where SEEDS is a
file of messages, one a line, in hexadecimal. ``FILTERD_PURE`` chooses the twins.
Prints its totals as one line of JSON; at the first finding it ends with a traceback
and the message.
"""

from __future__ import annotations

import asyncio
import json
import random
import sys
import tempfile
import time
from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING, cast

from filterd.base.errors import UpstreamMalformedError, UpstreamTimeoutError, WireError
from filterd.base.native import live_only
from filterd.fastpath.coroutine_runner import Stepper
from filterd.resolve import pipeline
from filterd.resolve.links.cache import Background
from filterd.resolve.pipeline import ResolutionStore
from filterd.resolve.query import Peer, Query
from filterd.resolve.resolver import Resolver
from filterd.upstream.resolution import resolution_of
from filterd.wire import fit, parse_response, size_limit
from filterd.wire import name as names
from tests.support.clock import FakeClock
from tests.support.lies import a_lie
from tests.support.packets import mutate, nudge
from tests.support.policies import an_index
from tests.support.serving import GRADE_1, LISTS, SiteHolder, a_site
from tests.support.unfiltered import MUST_BLOCK, is_unfiltered

if TYPE_CHECKING:
    from filterd.resolve.query import Answer
    from filterd.upstream import Forwarder, Resolution, UpstreamQuestion

_CACHE_OCTETS = 512 * 1024
_MESSAGES_A_SECOND = 2_000
"""How fast the clock goes: caches expire and failures are forgotten."""
_LET_OTHERS_RUN_EVERY = 64
_WARM_AFTER = 0.2
_PROGRESS_EVERY = 500_000
_PAGE_OCTETS = 4096
_FORBIDDEN_WIRE = MUST_BLOCK.to_wire() or b""


class LyingForwarder:
    """Answers at once, and often wrongly; the answers go through the real scrubbing."""

    def __init__(self, rng: random.Random) -> None:
        self._rng = rng
        self.asked = 0

    def mark_plain_by(self, _: object) -> None:
        """Mark nothing: only the fast path asks whether a resolution is plain."""

    async def resolve(self, question: UpstreamQuestion, *_: object, **__: object) -> Resolution:
        """Lie about a question; fail if it should not have been asked."""
        self.asked += 1
        assert not names.is_at_or_beneath(question.qname, _FORBIDDEN_WIRE), "it was asked"
        try:
            response = parse_response(a_lie(question.qname, question.qtype, self._rng))
        except WireError as error:
            raise UpstreamTimeoutError("nothing that answers") from error
        asked = response.question
        if asked is None or (asked.qname, asked.qtype) != (question.qname, question.qtype):
            raise UpstreamTimeoutError("an answer to another question")
        if response.rcode not in (0, 3):
            raise UpstreamMalformedError("nothing conclusive")
        return resolution_of(response, question)


class ResolverFuzz:
    """The chain, and what has become of the messages."""

    def __init__(self, seeds: list[bytes], seed: int, folder: Path) -> None:
        self._rng = random.Random(seed)
        self._seeds = seeds
        self.clock = FakeClock()
        self.background: Background[Answer] = Background()
        self.forwarder = LyingForwarder(self._rng)
        site = SiteHolder(a_site(an_index(folder, LISTS)))
        forwarder = cast("Forwarder", self.forwarder)
        store = ResolutionStore(_CACHE_OCTETS)
        chain = pipeline.build(site, store, forwarder, self.clock, self.background)
        self.resolver = Resolver(site, chain, self.clock)
        self.stepper = Stepper()
        self.outcomes: Counter[str] = Counter()
        self.peer = Peer(GRADE_1, 1)

    def one(self) -> None:
        """Spoil a message and have it answered."""
        rng = self._rng
        spoil = nudge if rng.random() < 0.5 else mutate
        message = spoil(rng.choice(self._seeds), rng)
        try:
            admitted = self.resolver.admit(message, self.peer)
            if isinstance(admitted, Query):
                self._respond(message, admitted)
            else:
                self._check(message, admitted)
        except BaseException as error:
            error.add_note(f"the message: {message.hex()}")
            raise

    def _respond(self, message: bytes, query: Query) -> None:
        limit = size_limit(query.message, "udp")
        respond = self.resolver.respond(query)
        self.stepper.run(respond, lambda reply: self._check(message, fit(reply, limit)))

    def _check(self, message: bytes, reply: bytes | None) -> None:
        if reply is None:
            self.outcomes["silence"] += 1
            return
        assert reply[:2] == message[:2], "another ID"
        rcode = parse_response(reply).rcode
        self.outcomes[f"rcode {rcode}"] += 1
        self.outcomes["unfiltered"] += is_unfiltered(reply)
        assert not self.outcomes["unfiltered"], f"unfiltered: {reply.hex()}"

    async def run(self, count: int) -> dict[str, object]:
        """Spoil that many messages; return the totals."""
        started = time.perf_counter()
        warm_octets = 0
        for number in range(count):
            self.one()
            if number % _LET_OTHERS_RUN_EVERY == 0:
                self.clock.advance(_LET_OTHERS_RUN_EVERY / _MESSAGES_A_SECOND)
                await asyncio.sleep(0)
            if number == int(count * _WARM_AFTER):
                warm_octets = resident_octets()
            if number % _PROGRESS_EVERY == 0 and number:
                _report_progress(number, count, started)
        took_s = time.perf_counter() - started
        growth = resident_octets() - warm_octets
        await self.background.close()
        await self.stepper.close()
        return {
            "native": live_only("filterd.lists._matcher") is not None,
            "messages": count,
            "a_second": round(count / took_s),
            "grown_octets": growth,
            "asked_upstream": self.forwarder.asked,
            "errors": self.resolver.counters["error"],
            "admitted": dict(self.resolver.counters),
            "outcomes": dict(self.outcomes),
        }


def _report_progress(number: int, count: int, started: float) -> None:
    rate = number / (time.perf_counter() - started)
    sys.stderr.write(f"{number:,} of {count:,} queries, {rate:,.0f} a second\n")


def resident_octets() -> int:
    """Return the memory that this process really uses."""
    return int(Path("/proc/self/statm").read_text(encoding="ascii").split()[1]) * _PAGE_OCTETS


def main(seeds_file: str, count: str, seed: str) -> None:
    """Run and print the totals."""
    lines = Path(seeds_file).read_text(encoding="ascii").split()
    seeds = [bytes.fromhex(line) for line in lines]
    with tempfile.TemporaryDirectory() as folder:

        async def run() -> dict[str, object]:
            return await ResolverFuzz(seeds, int(seed), Path(folder)).run(int(count))

        sys.stdout.write(json.dumps(asyncio.run(run())) + "\n")


if __name__ == "__main__":
    main(*sys.argv[1:])
