# SPDX-License-Identifier: Apache-2.0
"""Events of a cache, run by the plain one and the native one, which must agree."""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from filterd.policy.model import UpstreamServer
from filterd.upstream import Resolution, Route, UpstreamQuestion
from filterd.wire import Ede, RebuiltSections

if TYPE_CHECKING:
    from collections import Counter
    from collections.abc import Callable
    from random import Random
    from types import ModuleType


ROUTES = [Route((UpstreamServer("192.0.2.1", port),)) for port in range(1, 6)]
_NAME_OCTETS = (0, 1, 20, 59, 60, 61, 119, 120, 121, 254, 255, 256)
_TTLS = (-1, 0, 1, 9, 10, 60, 300, 300, 300, 3_600, 86_400)
_STEPS_S = (0, 0, 0, 0.1, 1, 20, 300, 90_000)
_ROOMS = (0, 500, 3_000, 20_000, 20_000, 200_000)
_SMALL_NUMBERS = (0, 1, 127, 128, 16_383, 16_384, 65_535)
_NUMBERS = (*_SMALL_NUMBERS, 2**21, 2**28, 2**31, 2**32 - 1)
_BODY_OCTETS = (0, 16, 16, 16, 30, 60, 127, 128, 500, 900, 1_100, 5_000)
_HIGHEST_KEY = 60


def a_question(rng: Random) -> UpstreamQuestion:
    """Return one of few questions, some of which differ by little."""
    octets, number = rng.choice(_NAME_OCTETS), rng.randrange(_HIGHEST_KEY)
    name = b"%d" % number
    name = (name + b"x" * octets)[:octets] if rng.random() < 0.5 else name.rjust(octets, b"x")
    flag = rng.random() < 0.1
    return UpstreamQuestion(name, rng.choice((1, 1, 28, 65_535)), flag, rng.random() < 0.1)


def a_resolution(rng: Random) -> Resolution:
    """Return a resolution, now and then one such as no upstream sends."""
    counts = [rng.choice((0, 1, 1, 2, 40)) for _ in range(2)]
    sections = RebuiltSections(
        rng.randbytes(rng.choice(_BODY_OCTETS)),
        rng.choice(_SMALL_NUMBERS),
        rng.choice(_SMALL_NUMBERS),
        rng.choice(_SMALL_NUMBERS),
        tuple(rng.choice(_SMALL_NUMBERS) for _ in range(counts[0])),
        tuple(rng.choice(_NUMBERS) for _ in range(counts[1])),
        rng.randrange(5, 260),
    )
    targets = tuple(rng.randbytes(rng.choice((1, 20, 255))) for _ in range(rng.choice((0, 0, 2))))
    texts = ("", "why", "vì sao", "\ud800\U0001f600", "x" * 200)
    edes = tuple(Ede(rng.choice(_SMALL_NUMBERS), rng.choice(texts)) for _ in range(2))
    figures = edes if rng.random() < 0.2 else ()
    flags = [rng.random() < 0.3 for _ in range(3)]
    rcode = rng.choice((0, 0, 3, 4_095))
    return Resolution(rcode, sections, targets, rng.choice(_TTLS), figures, *flags)


def charged_as(native: ModuleType) -> Callable[[UpstreamQuestion, Resolution], int]:
    """Return how the plain cache charges as much as the native one: both are full at once then."""

    @cache
    def measured(name_octets: int, resolution: Resolution) -> int:
        store = native.ResolutionStore(1 << 22)
        question = UpstreamQuestion(bytes(name_octets), 1, False, False, ROUTES[0])
        store.put(question, resolution._replace(ttl_s=1), 0.0)
        used: int = store.used_octets
        return used

    return lambda question, resolution: measured(len(question.qname), resolution)


class Story:
    """A sequence of events, and the results of the twins.

    Args:
        rng: to draw from.
        stores: the twins'.
        reached: counts the events.
        give: is called with the octets of each question and each answer.
    """

    def __init__(
        self,
        rng: Random,
        stores: list[Any],
        reached: Counter[str],
        give: Callable[[bytes], bytes] = bytes,
    ) -> None:
        self._rng, self._stores, self._reached, self._give = rng, stores, reached, give
        self._keys: list[UpstreamQuestion] = []
        self._put: list[Resolution] = [a_resolution(rng)]
        self._now = rng.choice((0.0, 5.25, 1e6))
        self._room = 0
        self._resize()

    def go_on(self) -> None:
        """Let one thing happen."""
        self._now += self._rng.choice(_STEPS_S)
        what = self._rng.choice((self._keep,) * 8 + (self._look,) * 8 + (self._fail, self._note))
        what()
        if self._rng.random() < 0.02:
            self._resize()
        figures = [(len(store), store.figures() | {"octets": 0}) for store in self._stores]
        assert figures[0] == figures[1], figures
        least, most = (store.used_octets for store in self._stores)
        assert least <= most <= self._room

    def end(self) -> None:
        """Look at everything that is left, long after."""
        for later_s in (0, 90_000, 10**6):
            for key in self._keys:
                self._both("expired", key, self._now + later_s)
        assert [len(store) for store in self._stores] == [0, 0]
        assert [store.used_octets - store.failures.used_octets for store in self._stores] == [0, 0]

    def _key(self) -> UpstreamQuestion:
        if self._keys and self._rng.random() < 0.7:
            return UpstreamQuestion(*self._rng.choice(self._keys))
        question, route = a_question(self._rng), self._rng.choice(ROUTES)
        self._keys.append(question._replace(qname=self._give(question.qname), route=route))
        return self._keys[-1]

    def _keep(self) -> None:
        again = self._rng.random() < 0.1
        resolution = self._put[-1] if again else a_resolution(self._rng)
        if not again:
            sections = resolution.sections
            sections = sections._replace(body=self._give(sections.body))
            resolution = resolution._replace(sections=sections)
        self._put.append(resolution)
        stale_s = self._rng.choice((0, 0, 86_400))
        key, before = self._key(), len(self._stores[0])
        if len(key.qname) > 255:
            resolution = resolution._replace(ttl_s=0)
        for store in self._stores:
            store.put(key, resolution, self._now, stale_s=stale_s)
        self._reached["made room" if len(self._stores[0]) < before else "put"] += 1

    def _look(self) -> None:
        what = self._rng.choice(("get", "get", "plain", "plain", "expired", "repeatable_until"))
        key = self._key()
        self._both(what, key, self._now)

    def _both(self, what: str, *about: object) -> None:
        said = [getattr(store, what)(*about) for store in self._stores]
        if said[0] in (None, False) or what == "repeatable_until":
            assert said[0] == said[1], (what, said)
            self._reached[f"{what}: {said[0] if said[0] in (None, False) else 'until'}"] += 1
            return
        self._reached[f"{what}: an entry"] += 1
        assert kept_of(said[0]) == kept_of(said[1]), what
        change = self._rng.random()
        for entry in said:
            if change < 0.1:
                entry.refreshed = True
            elif change < 0.2:
                entry.hits = 2**32 + 5 if change < 0.15 else 7
        assert kept_of(said[0]) == kept_of(said[1]), what

    def _fail(self) -> None:
        key = self._key()
        for store in self._stores:
            store.failures.remember(key, (), self._now, self._now)

    def _note(self) -> None:
        key, count = self._key(), self._rng.choice((1, 3, 2**32 - 1))
        for store in self._stores:
            store.note_hits(store.mark_of(key), count)

    def _resize(self) -> None:
        room = self._room = self._rng.choice(_ROOMS)
        before = len(self._stores[0])
        for store in self._stores:
            store.resize(room, self._now)
        self._reached["shrank" if len(self._stores[0]) < before else "resized"] += 1


def kept_of(entry: Any) -> tuple[object, ...]:
    """Return all fields of an entry; the native one counts to 32 bits."""
    times = (entry.stored_at, entry.expires_at, entry.gone_at, entry.refresh_at)
    return (entry.resolution, *times, min(entry.hits, 2**32 - 1), entry.refreshed)


def mapped_octets() -> int:
    """Return how much is taken of the mappings that want no huge pages: those of native stores.

    Pages that a fork of this process shares count, too: else those of a store of another test
    would seem to be new when a fork of that test ends. The test needs ``needs_huge_pages``.
    """
    mapped = taken = 0
    for line in Path("/proc/self/smaps").read_text(encoding="ascii", errors="replace").splitlines():
        if line.startswith("Shared_Dirty:"):
            taken = int(line.split()[1]) * 1024
        elif line.startswith("Private_Dirty:"):
            taken += int(line.split()[1]) * 1024
        elif line.startswith("VmFlags:") and "nh" in line.split():
            mapped += taken
    return mapped
