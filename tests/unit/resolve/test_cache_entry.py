# SPDX-License-Identifier: Apache-2.0
"""An entry is what was put, held as nothing that the collector would visit."""

from __future__ import annotations

import gc
from math import inf
from typing import TYPE_CHECKING

from hypothesis import given
from hypothesis import strategies as st

from filterd.resolve.cache_entry import Entry
from tests.unit.resolve.test_cache_packing import RESOLUTIONS

if TYPE_CHECKING:
    from filterd.upstream import Resolution


@given(RESOLUTIONS, st.floats(0, 1e9), st.sampled_from([0, 86_400]))
def test_an_entry_tells_what_was_put(resolution: Resolution, now: float, stale_s: int) -> None:
    entry = Entry.of(resolution, now, stale_s)
    assert entry.resolution == resolution
    assert (entry.stored_at, entry.expires_at) == (now, now + resolution.ttl_s)
    assert entry.gone_at == entry.expires_at + stale_s
    assert (entry.hits, entry.refreshed) == (0, False)


@given(RESOLUTIONS, st.integers(0, 2**40))
def test_what_is_noted_of_it_changes_nothing_else(resolution: Resolution, hits: int) -> None:
    entry = Entry.of(resolution, 5.0, 60)
    entry.hits = hits
    entry.refreshed = True
    assert (entry.hits, entry.refreshed) == (min(hits, 2**32 - 1), True)
    assert (entry.resolution, entry.stored_at) == (resolution, 5.0)
    assert entry.refresh_at == inf


@given(RESOLUTIONS)
def test_the_collector_does_not_look_at_it(resolution: Resolution) -> None:
    assert not gc.is_tracked(Entry.of(resolution, 0.0, 0).octets)
