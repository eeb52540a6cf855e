# SPDX-License-Identifier: Apache-2.0
"""How a site stands with its feed, as plain data: for `filterd feed status` and for the daemon's.

Read off the disk by whoever asks, without a lock and without the libraries that
fetch and verify: what is shown may be a moment old, and never half of something.
"""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any

from filterd import i18n
from filterd.feed.status_file import StandingFile, freshness
from filterd.feed.time_floor import TimeFloor
from filterd.feed.version_watch import WATCH_S, WatchFile
from filterd.feed.versions import Versions
from filterd.i18n import UNSAID, refused, say
from filterd.lists.active_blocklists import version_of
from filterd.state_file import to_plain

if TYPE_CHECKING:
    from filterd.clock import Clock
    from filterd.i18n import Sentence
    from filterd.state_folder import StateFolder


def overview(address: str, state: StateFolder, clock: Clock) -> dict[str, Any]:
    """Return how a site stands.

    Args:
        address: of the feed that it follows, empty for none.
        state: where everything is.
        clock: tells the time.

    Returns:
        ``address``; ``trusted``, whether a root was given; ``served``, the version that
        the lists in force are of (0 for those that ship, negative where they are older and the
        orders alone are of that version); ``in_force``, ``previous``,
        ``refused`` and ``held`` of the versions at hand; ``published``, ``tried_at``,
        ``verified_at``, ``expires_at``, ``takes_at`` of the last runs, Unix times;
        ``freshness``, a word; ``problem`` and ``sentence``, why the last run failed, or
        why nothing here can be read;
        ``judgement`` of a version that waits for somebody; ``watched_until``.
    """
    versions = Versions(state.feed).in_force()
    standing = StandingFile(state.feed).read()
    watch = WatchFile(state.feed).read(clock)
    now = clock.wall()
    watched_until = None if watch is None else now + watch.since + WATCH_S - clock.monotonic()
    served = version_of(state.index) or 0
    refusal = _refusal(state, served)
    # A site that follows no feed any more is not told of the last run's trouble.
    problem = refusal or (standing.problem if address else UNSAID)
    return {
        "address": address,
        # Of a folder that cannot be read only the problem is told.
        "trusted": bool(refusal) or os.path.exists(state.feed / "root.json"),  # noqa: PTH110
        "served": served,
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
        "problem": str(problem),
        "sentence": i18n.to_plain(problem),
        "judgement": to_plain(standing.judgement),
        "watched_until": watched_until,
    }


def _refusal(state: StateFolder, served: int) -> Sentence:
    """Return why the feed's folder, or that of the version served, cannot be read; or nothing."""
    for folder in (state.feed, *([state.feed_version(served)] if served else [])):
        try:
            os.listdir(folder)  # noqa: PTH208 -- it reads at once, and nothing is left open
        except FileNotFoundError:
            continue  # nothing was taken yet, or it was cleared away
        except OSError as error:
            return say("{path}: cannot be read: {why}", path=folder, why=refused(error))
    return UNSAID
