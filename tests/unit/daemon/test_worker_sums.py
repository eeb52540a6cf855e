# SPDX-License-Identifier: Apache-2.0
"""A sum of counters never falls, whichever workers answer."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Any

from hypothesis import given
from hypothesis import strategies as st

from filterd.daemon.worker_sums import (
    MOST_KEPT,
    ShownTraffic,
    WorkerSums,
    rates,
    summed,
    tls_of,
    tunnels_of,
    upstreams_of,
)
from filterd.fastpath.datagrams import Traffic
from filterd.querylog import CountingRules, Counts
from tests.support.clock import FakeClock

if TYPE_CHECKING:
    import pytest


def _worker(name: str, n: int) -> dict[str, Any]:
    return {
        "name": name,
        "answers": {"blocked": n},
        "cache": {"entries": n, "hits": n},
        "tls": {"connections": n, "handshakes": n, "listen": [n], "problem": ""},
        "forwarding": {},
        "datagrams": {"denied": n},
        "traffic": {"rcodes": {"answered": n}},
        "in_flight": n,
    }


def test_a_worker_that_is_replaced_or_silent_still_counts() -> None:
    sums = WorkerSums()
    sums.add_up([_worker("a", 5), _worker("b", 7)])
    for workers in ([_worker("b", 8)], [_worker("b", 8), _worker("c", 0)]):
        total = sums.add_up(workers)
        assert total["traffic"] == {"rcodes": {"answered": 13}}
        assert total["answers"] == {"blocked": 13}
        assert total["cache"] == {"entries": 8, "hits": 13}
        assert total["tls"] == {"connections": 8, "handshakes": 13}
        assert total["in_flight"] == 8
    again = sums.add_up([_worker("a", 6), _worker("b", 8), _worker("c", 0)])
    assert again["answers"] == {"blocked": 14}


def test_a_problem_of_any_worker_with_tls_is_shown() -> None:
    served = [{"listen": [853], "problem": text} for text in ("", "why")]
    counted = {"handshakes": 3}
    shown = {"handshakes": 3, "listen": [853], "problem": "why"}
    assert tls_of([{"tls": one} for one in served], counted) == shown
    assert tls_of([{"tls": {}}], counted) is None
    assert tls_of([], {}) is None


def test_a_tunnel_is_shown_by_the_worker_that_has_seen_the_most_of_it() -> None:
    found = [{"at": None, "names": 0}, {"at": 7.0, "names": 300}, {"at": 5.0, "names": 700}]
    assert tunnels_of([{"tunnels": one} for one in found]) == {"at": 7.0, "names": 700}
    for workers in ([], found[:1]):
        assert tunnels_of([{"tunnels": worker} for worker in workers]) == {"at": None, "names": 0}


def test_control_a_plain_sum_falls() -> None:
    assert summed([_worker("b", 8)])["answers"] == {"blocked": 8}


def test_workers_of_long_ago_are_kept_as_one() -> None:
    sums = WorkerSums()
    for number in range(3 * MOST_KEPT):
        total = sums.add_up([_worker(str(number), 1)])
    assert total["answers"] == {"blocked": 3 * MOST_KEPT}
    assert len(sums._kept) <= MOST_KEPT + 1


HOUR = 3600
POLICY = CountingRules(confidential={"self-harm"})


def _counts(rules: CountingRules = POLICY) -> tuple[Counts, FakeClock]:
    clock = FakeClock(500 * HOUR)
    counts = Counts(clock)
    counts.rules = rules
    return counts, clock


def _answer(counts: Counts) -> None:
    for grade, category, action, n in (
        ("1", "games", "blocked", 2),
        ("5", "games", "blocked", 3),
        ("5", "", "blocked", 1),
        ("6", "", "pass", 7),
        ("6", "games", "rewritten", 1),
        ("6", "self-harm", "blocked", 5),
    ):
        counts.add(grade, category, action, n)


def test_answers_are_summed_up_by_tier_when_their_hour_is_over() -> None:
    counts, clock = _counts()
    _answer(counts)
    shown = ShownTraffic()
    assert shown.totals([], counts)["responses"] == {}
    clock.advance(HOUR)
    totals = shown.totals([], counts)
    assert totals["responses"] == {
        "primary": {"blocked": 6},
        "lower-secondary": {"pass": 7, "rewritten": 1},
    }


def test_control_a_category_that_is_not_confidential_is_counted() -> None:
    counts, clock = _counts(CountingRules())
    _answer(counts)
    clock.advance(HOUR)
    totals = ShownTraffic().totals([], counts)
    assert totals["responses"]["lower-secondary"]["blocked"] == 5


def test_a_category_that_became_confidential_is_shown_no_more() -> None:
    counts, clock = _counts(CountingRules())
    _answer(counts)
    clock.advance(HOUR)
    counts.rules = POLICY
    assert "blocked" not in ShownTraffic().totals([], counts)["responses"]["lower-secondary"]


class _Worker:
    """A worker's figures, as its status has them."""

    def __init__(self) -> None:
        self.counts, self._clock = _counts()
        self._udp = Traffic()
        self._counters, self._shown = Counter[str](), ShownTraffic()

    def answer(self, category: str, source: str, took_ms: float) -> None:
        """Answer a lookup, as the chain does."""
        self._udp.asked("192.0.2.1")
        rcode = 3 if source == "blocked" else 2 if source == "failed" else 0
        self._udp.replied(bytes((0, 0, 0, rcode, *bytes(8))), took_ms / 1000)
        self._counters[source] += 1
        action = source if source in ("blocked", "failed") else "pass"
        if category == "unlisted":
            self.counts.hide(source)
        else:
            self.counts.add("6", category, action, class_id="6A")

    def pass_time(self, seconds: int) -> None:
        """Let time pass."""
        self._clock.advance(seconds)

    def poll(self) -> dict[str, Any]:
        """Return all that a status has of it; of times only how many they are."""
        found = self._shown.totals([self._udp.to_plain()], self.counts)
        found["latency"] = sum(found["latency"]["chain"]["buckets"].values())
        answers = self._shown.answers(self._counters, self.counts)
        return found | {
            "answers": {key: n for key, n in answers.items() if n},
            "waiting": self.counts.waiting,
        }


_STEPS = st.lists(
    st.one_of(
        st.tuples(
            st.sampled_from(("games", "", "self-harm", "unlisted")),
            st.sampled_from(("blocked", "cached", "failed")),
            st.sampled_from((0.05, 3.0, 400.0)),
        ),
        st.integers(1, 5_000),
    ),
    max_size=40,
)


def _is_secret(step: Any) -> bool:
    return isinstance(step, tuple) and (
        step[0] == "unlisted" or step[:2] == ("self-harm", "blocked")
    )


def _polls(steps: list[Any], *, without: bool) -> list[dict[str, Any]]:
    """Return the figures after each step that is not of a confidential category."""
    worker, found = _Worker(), []
    for step in steps:
        if isinstance(step, int):
            worker.pass_time(step)
        elif not (without and _is_secret(step)):
            worker.answer(*step)
        found.append(worker.poll())
    return found


@given(_STEPS)
def test_no_figure_of_any_moment_tells_whether_there_was_a_confidential_answer(
    steps: list[Any],
) -> None:
    assert _polls(steps, without=False) == _polls(steps, without=True)


def test_control_plain_counters_tell_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ShownTraffic, "answers", lambda _, counters, __: dict(counters))
    steps = [("", "cached", 0.05), ("self-harm", "blocked", 0.05)]
    assert _polls(steps, without=False) != _polls(steps, without=True)


def test_a_reply_that_is_counted_after_its_answer_lets_no_figure_fall() -> None:
    shown, udp = ShownTraffic(), Traffic()
    counts, _ = _counts()
    udp.replied(bytes(12), 0.0)
    before = shown.totals([udp.to_plain()], counts)
    counts.add("6", "self-harm", "blocked")
    between = shown.totals([udp.to_plain()], counts)
    udp.replied(bytes((0, 0, 0, 3, *bytes(8))), 0.0)
    after = shown.totals([udp.to_plain()], counts)
    assert before == between == after
    assert after["rcodes"] == {"answered": 1}


def test_times_of_hidden_replies_are_taken_from_their_own_path() -> None:
    shown, counts = ShownTraffic(), _counts()[0]
    buckets = {"0.1": 4, "1": 2, "inf": 0}
    native: dict[str, Any] = {
        "rcodes": {"0": 6, "2": 1},
        "latency": {"fast": {"buckets": buckets, "sum_us": 600}, "chain": {"buckets": {"1": 1}}},
    }
    native["latency"]["chain"]["sum_us"] = 900
    counts.add("6", "self-harm", "blocked", 2, path="fast")
    totals = shown.totals([native], counts)
    assert totals["latency"] == {
        "fast": {"buckets": {"0.1": 2, "1": 2, "inf": 0}, "sum_us": 400},
        "chain": {"buckets": {"1": 1}, "sum_us": 900},
    }
    assert totals["rcodes"] == {"answered": 4, "2": 1}


def _status(up_s: int, latency: dict[str, int] | None = None, **answers: int) -> dict[str, Any]:
    traffic = {"latency": {"fast": {"buckets": latency}}} if latency else {}
    return {"up_s": up_s, "answers": answers, "traffic": traffic}


def test_rates_are_the_growth_over_the_time_between() -> None:
    figures = rates(
        _status(100, cached=10, forwarded=10), _status(102, cached=40, forwarded=20), 2.0
    )
    assert figures["answers"] == {"cached": 15.0, "forwarded": 5.0}
    assert figures["hits"] == 0.75


def test_without_an_earlier_state_they_are_of_the_time_since_the_start() -> None:
    figures = rates(None, _status(100, blocked=50), 0.0)
    assert (figures["answers"], figures["hits"]) == ({"blocked": 0.5}, None)


def test_a_restart_between_begins_anew_and_a_new_worker_takes_nothing_away() -> None:
    assert rates(_status(100, cached=90), _status(10, cached=20), 2.0)["answers"]["cached"] == 2.0
    assert rates(_status(100, cached=90), _status(102, cached=80), 2.0)["answers"]["cached"] == 0.0


def test_latencies_are_the_bounds_of_buckets_that_have_grown() -> None:
    before = {"0.5": 1_000, "1": 0, "25": 0, "inf": 0}
    now = {"0.5": 1_000, "1": 60, "25": 38, "inf": 2}
    figures = rates(_status(1, before), _status(2, now), 1.0)["latency_ms"]
    assert figures == {"fast": {"p50": 1.0, "p99": None}}
    assert rates(_status(1, now), _status(2, now), 1.0)["latency_ms"] == {"fast": None}
    assert rates(None, _status(2, now), 1.0)["latency_ms"]["fast"] == {"p50": 0.5, "p99": 25.0}


def test_numbers_add_up_at_every_depth() -> None:
    rows = [
        {"answers": {"blocked": 3}, "in_flight": 1, "cache": {"hits": 5}},
        {"answers": {"blocked": 4, "cached": 1}, "in_flight": 2, "cache": {"hits": 6}},
    ]
    expected = {"answers": {"blocked": 7, "cached": 1}, "in_flight": 3, "cache": {"hits": 11}}
    assert summed(rows) == expected


def test_what_is_no_number_is_left_out() -> None:
    assert summed([{"a": 1, "b": "text", "c": [1]}]) == {"a": 1}


def test_no_rows_have_no_sums() -> None:
    assert summed([]) == {}
    assert upstreams_of([]) == []


def _view(
    rtt_ms: float | None, *, down: bool, problem: str = "", since: float | None = None
) -> dict[str, Any]:
    upstream = {
        "address": "192.0.2.1",
        "rtt_ms": rtt_ms,
        "down": down,
        "down_since": since,
        "problem": problem,
        "latency": {"sum_us": 3},
    }
    return {"upstreams": [upstream]}


def test_an_upstream_is_down_when_it_is_down_for_all() -> None:
    joined = upstreams_of([_view(None, down=True), _view(12.5, down=False)])
    both = {"latency": {"sum_us": 6}}
    assert joined == [_view(12.5, down=False)["upstreams"][0] | both]
    views = [_view(None, down=True, since=7.0), _view(None, down=True, since=9.0)]
    assert upstreams_of(views) == [_view(None, down=True, since=9.0)["upstreams"][0] | both]
    views = [_view(None, down=True, since=7.0), _view(None, down=False)]
    assert upstreams_of(views)[0]["down_since"] is None


def test_the_problem_of_an_upstream_is_shown_where_one_worker_has_met_it() -> None:
    views = [_view(None, down=False), _view(None, down=False, problem="it has expired")]
    assert upstreams_of(views)[0]["problem"] == "it has expired"
