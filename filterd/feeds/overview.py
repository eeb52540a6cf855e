# SPDX-License-Identifier: Apache-2.0
"""How a site stands with its feed, as plain data: for `filterd feed status` and for the daemon's.

Read off the disk by whoever asks, without a lock and without the libraries that
fetch and verify: what is shown may be a moment old, and never half of something.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from filterd import sentences
from filterd.feeds.standing import StandingFile, freshness
from filterd.feeds.time_floor import TimeFloor
from filterd.feeds.versions import Versions
from filterd.feeds.watching import WATCH_S, WatchFile
from filterd.lists.in_force import version_of

if TYPE_CHECKING:
    from filterd.clock import Clock
    from filterd.paths import StateFolder


def overview(address: str, state: StateFolder, clock: Clock) -> dict[str, Any]:
    """Return how a site stands.

    Args:
        address: of the feed that it follows, empty for none.
        state: where everything is.
        clock: tells the time.

    Returns:
        ``address``; ``trusted``, whether a root was given; ``served``, the version that
        the lists in force are of (0 for those that ship); ``in_force``, ``previous``,
        ``refused`` and ``held`` of the versions at hand; ``published``, ``tried_at``,
        ``verified_at``, ``expires_at``, ``takes_at`` of the last runs, Unix times;
        ``freshness``, a word; ``problem`` and ``sentence``, why the last run failed;
        ``judgement`` of a version that waits for somebody; ``watched_until``.
    """
    versions = Versions(state.feed).in_force()
    standing = StandingFile(state.feed).read()
    watch = WatchFile(state.feed).read(clock)
    now = clock.wall()
    watched_until = None if watch is None else now + watch.since + WATCH_S - clock.monotonic()
    return {
        "address": address,
        "trusted": (state.feed / "root.json").exists(),
        "served": version_of(state.index) or 0,
        "in_force": versions.current,
        "previous": list(versions.previous),
        "refused": list(versions.refused),
        "held": versions.held,
        "published": standing.version,
        "tried_at": standing.tried_at,
        "verified_at": standing.verified_at,
        "expires_at": standing.expires_at,
        "takes_at": standing.takes_at,
        "freshness": freshness(standing, now, TimeFloor(state.feed).read()).value,
        "problem": str(standing.problem),
        "sentence": sentences.to_plain(standing.problem),
        "judgement": standing.judgement,
        "watched_until": watched_until,
    }
