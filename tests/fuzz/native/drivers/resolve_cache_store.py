# SPDX-License-Identifier: Apache-2.0
"""Stories of a cache that is mostly too small; some resolutions are impossible."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

from filterd.upstream import UpstreamQuestion
from tests.support.store_stories import ROUTES, Story, a_resolution, charged_as

if TYPE_CHECKING:
    from random import Random

    from tests.fuzz.native.session import Session

pure: Any = import_module("filterd.resolve.cache_store")
native: Any = import_module("filterd.resolve._cache")

REACHES = {"put", "made room", "shrank", "plain: False", "expired: an entry", "refused"}

_THINGS = 300
_ROUTES = (2, 4, 4_096)
_NO_NUMBERS = (-1, 2**32, 2**70, None, "1")
_ROOM = 20_000


def drive(session: Session) -> None:
    """Run the same stories in both twins, and give a separate store what it must refuse."""
    pure._taken = charged_as(native)
    for _ in session.rounds():
        pure.MOST_ROUTES = session.rng.choice(_ROUTES)
        stores = [pure.ResolutionStore(), native.ResolutionStore()]
        story = Story(session.rng, stores, session.reached, session.give)
        for _ in range(_THINGS):
            story.go_on()
        story.end()
        _refuse(session)


def _refuse(session: Session) -> None:
    """Put what cannot be packed among what can, and look whether that is still right."""
    rng, store = session.rng, native.ResolutionStore(_ROOM)
    for number in range(_THINGS // 10):
        key = UpstreamQuestion(b"%d" % number, 1, False, False, ROUTES[0])
        resolution = a_resolution(rng)._replace(ttl_s=60)
        store.put(key, resolution, 0.0)
        entry = store.get(key, 1.0)
        assert entry is None or entry.resolution == resolution
        try:
            store.put(key, _spoilt(rng), 2.0)
        except (TypeError, OverflowError):
            session.reached["refused"] += 1
        entry = store.get(key, 3.0)
        assert entry is None or entry.resolution == resolution


def _spoilt(rng: Random) -> Any:
    """Return a resolution with one part of a wrong kind."""
    resolution: Any = a_resolution(rng)._replace(ttl_s=60)
    sections, number = resolution.sections, rng.choice(_NO_NUMBERS)
    return rng.choice(
        (
            resolution[:7],
            resolution._replace(rcode=number),
            resolution._replace(ttl_s=2**32),
            resolution._replace(targets=[b"a"]),
            resolution._replace(targets=("a",)),
            resolution._replace(sections=tuple(sections)[:6]),
            resolution._replace(sections=sections._replace(body=bytearray(9))),
            resolution._replace(sections=sections._replace(ancount=number)),
            resolution._replace(sections=sections._replace(ttls=(1, number))),
            resolution._replace(sections=sections._replace(ttl_offsets=[1])),
        )
    )
