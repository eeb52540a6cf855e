# SPDX-License-Identifier: Apache-2.0
"""One school, served with the fast path and without, and stories that both run.

A story asks, lets upstreams answer or wait and changes the rules; it returns the
answers of clients. Both ways must give the same answers and the same counters.
"""

from __future__ import annotations

from contextlib import ExitStack
from dataclasses import dataclass, replace
from ipaddress import ip_network
from typing import TYPE_CHECKING, Any, Self

from filterd.clients.interfaces import Links, Prefix
from filterd.clients.network_view import Surroundings
from filterd.fastpath.core_contract import SWEEPS
from filterd.fastpath.core_filler import HOUSE_KEPT_EVERY_S
from tests.support.policies import an_index
from tests.support.serving import GRADE_1, GRADE_11, LISTS, Serving, a_site
from tests.support.upstream import FakeUpstream
from tests.support.wire import a_query

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from filterd.lists.index import Index
    from filterd.querylog import CountRow
    from filterd.resolve.query import Answer, Query
    from filterd.resolve.site import Site
    from tests.support.policies import ListTexts
    from tests.support.serving import UdpStub

RECORDS = (
    "www.example.com. 300 IN A 198.18.0.1",
    "social.example. 300 IN A 198.18.0.2",
    "open.example.com. 300 IN CNAME cdn.example.net.",
    "cdn.example.net. 200 IN A 198.18.0.3",
    "alias.example.com. 300 IN CNAME social.example.",
    "hidden.example.com. 300 IN CNAME porn.example.",
    "porn.example. 300 IN A 198.18.0.4",
    "private.example.com. 300 IN A 192.168.1.1",
    "mixed.example.com. 300 IN A 198.18.0.5",
    "mixed.example.com. 300 IN A 10.0.0.1",
    "never.example.com. 0 IN A 198.18.0.6",
    'keys.example.com. 300 IN HTTPS 1 . alpn=h2 ech="AARhYmNk"',
    "bound.example.com. 300 IN HTTPS 1 cdn.example.net. alpn=h2",
    *(f"large.example.com. 300 IN TXT {'x' * 150}{n}" for n in range(5)),
    *(f"huge.example.com. 300 IN TXT {'x' * 200}{n}" for n in range(9)),
)
LISTED: ListTexts = {**LISTS, "ads": ("ads-trackers", "domains", False, ["banner.social.example"])}


@dataclass(frozen=True)
class RunOutcome:
    """The answers of clients, and all counters.

    ``sources``: answers by source. ``rows``: of the log. ``figures``: of the cache.
    """

    replies: list[bytes]
    asked: list[str]
    sources: dict[str, int]
    rows: dict[CountRow, int]
    figures: dict[str, int]
    left_waiting: int


class School:
    """One run of the school, its upstream and clients; ``with`` starts and stops it.

    Attributes:
        by_the_chain: how many answers the chain gave.
    """

    def __init__(self, index: Index, *, fast: bool, **policy: Any) -> None:
        self._index, self._fast, self._policy = index, fast, policy
        self._stubs: dict[str, UdpStub] = {}
        self._id = 0
        self.upstream = FakeUpstream()
        self.upstream.add(*RECORDS)
        self.serving: Serving
        self.by_the_chain = 0

    def __enter__(self) -> Self:
        with ExitStack() as stack:
            stack.enter_context(self.upstream)
            site = self.site(**self._policy)
            self.serving = stack.enter_context(Serving(site, listen=["127.0.0.1"], fast=self._fast))
            noted = self.serving.resolver.noted or (lambda *_: None)

            def counted(query: Query, answer: Answer, reply: bytes) -> None:
                self.by_the_chain += 1
                noted(query, answer, reply)

            self.serving.resolver.noted = counted
            self._stack = stack.pop_all()
        self.greet(GRADE_1, GRADE_11)
        return self

    def __exit__(self, *about: object) -> None:
        self._stack.close()

    def site(self, *, strip_ech: bool = False, **policy: Any) -> Site:
        """Return a site that asks the upstream."""
        made = a_site(self._index, [self.upstream], **policy)
        if not strip_ech:
            return made
        grades = {
            name: replace(grade, strip_ech=True) for name, grade in made.policy.grades.items()
        }
        return type(made).of(
            replace(made.policy, grades=grades), made.index, made.route.servers, made.surroundings
        )

    def greet(self, *sources: str) -> None:
        """Make these clients known to the fast path, by a question that the chain answers."""
        for source in sources:
            self.ask("porn.example", source=source)
        self.by_the_chain = 0

    def stop_repeating(self) -> None:
        """Let the fast path forget the answers that it repeats: the cache gives the next one."""
        if self.serving.fast is not None:
            self.serving.run(self.serving.fast.core.replay.forget)

    def ask(self, name: str, qtype: str = "A", source: str = GRADE_1, **options: Any) -> bytes:
        """Ask and return the answer."""
        return self.send(name, qtype, source, **options).receive()

    def send(self, name: str, qtype: str = "A", source: str = GRADE_1, **options: Any) -> UdpStub:
        """Ask and return the stub that will hear the answer; each message has another ID."""
        if source not in self._stubs:
            self._stubs[source] = self._stack.enter_context(self.serving.stub(source))
        self._id += 1
        cased = options.pop("cased", False)
        query = a_query(name, qtype, message_id=self._id, **options)
        self._stubs[source].send(
            query[:12] + query[12:25].swapcase() + query[25:] if cased else query
        )
        return self._stubs[source]

    def held(self, *questions: tuple[Any, ...]) -> list[UdpStub]:
        """Ask questions that wait until the upstream is released."""
        self.upstream.released.clear()
        stubs = [self.send(*question) for question in questions]
        self.serving.eventually(lambda: len(self.serving.stepper) == len(questions))
        return stubs

    def change(self, **policy: Any) -> None:
        """Put another site in force."""
        site = self.site(**policy)
        self.serving.run(lambda: setattr(self.serving.sites, "current", site))

    def know_devices(self, **policy: Any) -> None:
        """Put a site in force that knows devices on the link of its clients by their MACs."""
        around = Surroundings(self.serving.clock)
        around.take_links(Links(lan=(Prefix(ip_network("127.0.0.0/8"), "lo"),)))
        made = self.site(**policy)
        site = type(made).of(made.timed.policy, made.index, made.route.servers, around)
        self.serving.run(lambda: setattr(self.serving.sites, "current", site))

    def advance(self, seconds: float) -> None:
        """Let time pass."""
        self.serving.run(lambda: self.serving.clock.advance(seconds))

    def live(self, story: Callable[[School], list[bytes]]) -> RunOutcome:
        """Live through a story."""
        replies = story(self)
        self.serving.run(self._settle)
        rows = [row for batch in self.serving.log.take_all() for row in batch.rows]
        figures = self.serving.store.figures()
        for kept in ("entries", "octets"):  # an answer without a client need not be kept
            del figures[kept]
        return RunOutcome(
            replies,
            list(self.upstream.asked),
            dict(self.serving.resolver.counters),
            {row._replace(hour=0, n=0): row.n for row in rows},
            figures,
            self.serving.run(lambda: len(self.serving.stepper)),
        )

    def _settle(self) -> None:
        fast = self.serving.fast
        if fast is not None:
            fast.core.replay.forget()
            # So late that all repeated answers are counted.
            fast.keep_house(fast.core.house_at + SWEEPS * HOUSE_KEPT_EVERY_S)
            fast.settle()


def differences(index: Index, story: Callable[[School], list[bytes]], **policy: Any) -> list[str]:
    """Run a story with the fast path and without; report the differences."""
    outcomes = []
    for fast in (False, True):
        with School(index, fast=fast, **policy) as school:
            outcomes.append(school.live(story))
    chain, relayed = outcomes
    return [
        f"{name}: {getattr(relayed, name)} instead of {getattr(chain, name)}"
        for name in RunOutcome.__dataclass_fields__
        if getattr(relayed, name) != getattr(chain, name)
    ]


def listed(folder: Path) -> Index:
    """Return the index of the school."""
    return an_index(folder, LISTED)
