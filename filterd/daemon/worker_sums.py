# SPDX-License-Identifier: Apache-2.0
"""Sum up what workers have counted, for the status. Pure.

A worker may be silent, or replaced. Prometheus takes a counter that falls for one that began
anew at 0, and would count the numbers of all others a second time. So ``WorkerSums`` keeps the
last counters of each worker, and no sum ever falls. ``rates`` are derived from the counters of
two answers to ``status``.

``ShownTraffic`` has what a worker may say of its answers. What is hidden (``Counts.hidden``) is in
none of its figures: a sum that had it would show it beside the parts that do not. So there is no
number of requests, and of replies with a response code that blocks have there is one sum.
Figures by tier are of hours that are over, never by grade or class.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from itertools import accumulate
from math import inf
from typing import TYPE_CHECKING, Any, TypedDict

from filterd.policy.model import TIER_OF_GRADE

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from filterd.control.status_answer import TunnelSigns, UpstreamStanding
    from filterd.querylog import Counts
    from filterd.texts.rows import Row

COUNTERS = ("answers", "cache", "forwarding", "datagrams", "traffic", "tls")
"""Parts of a worker's status that count since its start."""
_OF_NOW = {"cache": {"entries", "octets", "failures"}, "tls": {"connections"}}
"""Keys of a part that count what there is now."""
MOST_KEPT = 64
"""Workers of before that are kept one by one: they may only be silent."""


def summed(rows: Iterable[dict[str, Any]]) -> dict[str, Any]:
    """Add numbers key by key, in nested mappings too; leave out other values."""
    total: dict[str, Any] = {}
    for row in rows:
        for key, value in row.items():
            if isinstance(value, dict):
                total[key] = summed([total.get(key, {}), value])
            elif isinstance(value, int):
                total[key] = total.get(key, 0) + value
    return total


def upstreams_of(workers: Sequence[dict[str, Any]]) -> list[dict[str, Any]]:
    """Merge the states that workers report of the same upstreams.

    The round trip is the shortest of all workers, and a server is down if it is down for
    all, since it was so for the last: one worker may have met a moment of silence. A problem
    of any worker is shown.
    """
    joined: list[dict[str, Any]] = []
    of_workers: list[list[UpstreamStanding]] = [worker["upstreams"] for worker in workers]
    for views in zip(*of_workers, strict=False):
        seen = [view["rtt_ms"] for view in views if view["rtt_ms"] is not None]
        down = all(view["down"] for view in views)
        troubled = next((view for view in views if view["problem"]), views[0])
        since = max(view.get("down_since") or 0.0 for view in views) or None if down else None
        of_all = {"rtt_ms": min(seen, default=None), "down": down, "down_since": since}
        of_all |= {"latency": summed(view.get("latency", {}) for view in views)}
        joined.append({**troubled, **of_all})
    return joined


def tunnels_of(workers: Sequence[dict[str, Any]]) -> dict[str, Any]:
    """Return the last sign of a tunnel of any worker; see ``TunnelCounter.facts``.

    ``names`` is of the worker with the most: a device's questions may come to all.
    """
    found: list[TunnelSigns] = [worker["tunnels"] for worker in workers]
    times = (one["at"] for one in found if one["at"] is not None)
    return {
        "at": max(times, default=None),
        "names": max((one["names"] for one in found), default=0),
    }


def tls_of(workers: Sequence[dict[str, Any]], counted: dict[str, int]) -> dict[str, Any] | None:
    """Return the state of DNS over TLS; None where no worker is to serve it.

    Args:
        workers: the status of each.
        counted: the numbers of all together.
    """
    served = [worker["tls"] for worker in workers if worker["tls"]]
    if not served:
        return None
    problem = next((one["problem"] for one in served if one["problem"]), "")
    return {**counted, "listen": served[0]["listen"], "problem": problem}


def disputes_of(workers: Sequence[dict[str, Any]]) -> list[list[str]]:
    """Return the MACs of each address that several devices claim, of all workers."""
    found = {tuple(one) for row in workers for one in row["disputes"]}
    return [list(macs) for macs in sorted(found)]


class WorkerSums:
    """The sums over the workers of a daemon, and of those before them."""

    def __init__(self) -> None:
        self._kept: dict[str, dict[str, Any]] = {}
        self._gone: dict[str, Any] = {}

    def add_up(self, workers: Sequence[dict[str, Any]]) -> dict[str, Any]:
        """Return the sums of the numbers of the workers that answer now.

        Those of ``COUNTERS`` have the last ones of all other workers, too.

        Args:
            workers: the status of each, with a ``name`` of its process.
        """
        names = {worker["name"] for worker in workers}
        absent = [kept for name, kept in self._kept.items() if name not in names]
        for worker in workers:
            self._kept[worker["name"]] = {
                part: {
                    key: n for key, n in worker[part].items() if key not in _OF_NOW.get(part, ())
                }
                for part in COUNTERS
            }
        total = summed([*workers, self._gone, *absent])
        for name in [one for one in self._kept if one not in names][:-MOST_KEPT]:
            self._gone = summed([self._gone, self._kept.pop(name)])
        return total


ANSWERED = "answered"
"""Replies with a response code that a block may have, together."""
_OF_BLOCKS = frozenset(("0", "3", "5"))
_SERVFAIL, _FAILED = "2", "failed"


class ShownTraffic:
    """The figures of one worker's answers that may be shown; none of them ever falls."""

    def __init__(self) -> None:
        self._replies = Counter[str]()
        self._times: dict[str, _ShownTimes] = defaultdict(_ShownTimes)

    def answers(self, counters: Mapping[str, int], counts: Counts) -> dict[str, int]:
        """Return the answers by source."""
        return {key: n - counts.hidden_sources[key] for key, n in counters.items()}

    def totals(self, listeners: Iterable[dict[str, Any]], counts: Counts) -> dict[str, Any]:
        """Return the totals as plain data, which can be summed up over workers.

        Args:
            listeners: the traffic of each (``fastpath.datagrams.Traffic``).
            counts: of the same answers.

        Returns: ``rcodes``; ``latency`` by path; ``responses`` by tier and action.
        """
        found = summed(listeners)
        responses: dict[str, dict[str, int]] = {}
        for (grade, category, action), n in counts.past_sums().items():
            tier = TIER_OF_GRADE.get(grade)
            if tier is None or category in counts.rules.confidential:  # of a policy before
                continue
            of_tier = responses.setdefault(tier, {})
            of_tier[action] = of_tier.get(action, 0) + n
        times: dict[str, PathTimes] = found.get("latency", {})
        return {
            "rcodes": self._rcodes(found.get("rcodes", {}), counts.hidden_sources),
            "latency": {
                path: self._times[path].without(time, counts.hidden[path])
                for path, time in times.items()
            },
            "responses": responses,
        }

    def _rcodes(self, rcodes: Mapping[str, int], hidden: Mapping[str, int]) -> dict[str, int]:
        failed = hidden.get(_FAILED, 0)
        found = {
            ANSWERED: sum(rcodes.get(one, 0) for one in _OF_BLOCKS) + failed - sum(hidden.values()),
            _SERVFAIL: rcodes.get(_SERVFAIL, 0) - failed,
        }
        for key, n in found.items():  # a reply may be counted a moment later than its answer
            self._replies[key] = max(self._replies[key], n)
        shown = {key: n for key, n in rcodes.items() if key not in {*_OF_BLOCKS, _SERVFAIL}}
        return {**{key: n for key, n in self._replies.items() if n}, **shown}


class PathTimes(TypedDict):
    """Replies of a path by the bound of their time, and the sum of the times."""

    buckets: dict[str, int]
    sum_us: int


class _ShownTimes:
    """The times of one path's replies, without as many as are hidden.

    Which bucket a hidden one was in is not known: it is taken from the fullest of what came since
    the last report, in which all others of that moment stand too.
    """

    def __init__(self) -> None:
        self._last, self._shown = Counter[str](), Counter[str]()
        self._last_us = self._shown_us = self._hidden = self._owed = 0

    def without(self, times: PathTimes, hidden: int) -> PathTimes:
        """Return times as ``TimeBuckets.to_plain`` does, without hidden ones.

        Args:
            times: of the path since the start.
            hidden: how many of these replies are hidden.
        """
        grown = Counter({key: n - self._last[key] for key, n in times["buckets"].items()})
        came = grown.total()
        self._owed += hidden - self._hidden
        taken = min(self._owed, came)
        self._owed -= taken
        for _ in range(taken):
            grown[max(grown, key=grown.__getitem__)] -= 1
        self._shown.update(grown)
        if came:
            self._shown_us += (times["sum_us"] - self._last_us) * (came - taken) // came
        self._last, self._last_us, self._hidden = Counter(times["buckets"]), times["sum_us"], hidden
        return {
            "buckets": {key: self._shown[key] for key in times["buckets"]},
            "sum_us": self._shown_us,
        }


_REPEATED, _ASKED = ("cached", "stale"), "forwarded"
_HALF, _ALMOST_ALL = 0.5, 0.99


def rates(before: Row | None, now: Row, length_s: float) -> dict[str, Any]:
    """Return what happened between two states of the daemon.

    Args:
        before: the earlier state; None for that of the start.
        now: the later state.
        length_s: the seconds between them; not used without an earlier one.

    Returns: ``answers``, a second, by source; ``hits``, the share of the answers to names that pass
        which came from the cache, None for none; ``latency_ms``, by path ``p50`` and ``p99``, as
        the upper bound of their bucket, None above the last bound.
    """
    if before is None or now["up_s"] < before["up_s"]:  # it was restarted
        before, length_s = {}, now["up_s"]
    since = _growth(before.get("answers", {}), now["answers"])
    repeated = sum(since.get(source, 0) for source in _REPEATED)
    passed = repeated + since.get(_ASKED, 0)
    earlier: Mapping[str, Row] = before.get("traffic", {}).get("latency", {})
    latency: Mapping[str, PathTimes] = now.get("traffic", {}).get("latency", {})
    return {
        "answers": {source: n / max(length_s, 1e-3) for source, n in since.items()},
        "hits": repeated / passed if passed else None,
        "latency_ms": {
            path: _quantiles(_growth(earlier.get(path, {}).get("buckets", {}), times["buckets"]))
            for path, times in latency.items()
        },
    }


def _growth(before: Mapping[str, int], now: Mapping[str, int]) -> dict[str, int]:
    """Return how much counters have grown; a new worker begins at nothing."""
    return {key: max(0, n - before.get(key, 0)) for key, n in now.items()}


def _quantiles(buckets: Mapping[str, int]) -> dict[str, float | None] | None:
    """Return p50 and p99 of times by bucket; None for no times."""
    if not any(buckets.values()):
        return None
    bounds = sorted((float(bound), n) for bound, n in buckets.items())
    below = [*accumulate(n for _, n in bounds)]
    found = {}
    for name, share in (("p50", _HALF), ("p99", _ALMOST_ALL)):
        at = next(i for i, n in enumerate(below) if n >= share * below[-1])
        found[name] = None if bounds[at][0] == inf else bounds[at][0]
    return found
