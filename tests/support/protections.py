# SPDX-License-Identifier: Apache-2.0
"""Statuses of a gateway by what its protection lacks, and the verdicts on them."""

from __future__ import annotations

from typing import Any, NamedTuple

from filterd.base.protection_line import LineState, ProtectionSubject
from filterd.texts import i18n
from tests.support.fake_daemon import STATUS

Status = dict[str, Any]

NOW = 1_764_550_800.0
DAY_S = 86_400.0
FEED: Status = {
    "address": "",
    "sources": 2,
    "served": "web-1",
    "freshness": "fresh",
    "problem": "",
    "trusted": True,
    "judgement": None,
    "held": None,
    "beside": None,
    "verified_at": NOW,
    "expires_at": None,
    "sentence": i18n.to_plain(i18n.UNSAID),
    "followed": [],
    "missing": [],
}
UP: Status = {"address": "192.0.2.53", "port": 53, "tls": "no", "rtt_ms": 9.0, "down": False}
UP |= {"problem": "", "down_since": None}
DOWN = UP | {"address": "192.0.2.54", "down": True, "down_since": NOW - 120}
WELL: Status = STATUS | {
    "feed": FEED,
    "up_s": 2 * DAY_S,
    "clock": {"standing": "known", "shows": NOW, "floor": NOW, "not_before": NOW},
    "time_is_known": True,
    "upstreams": [UP],
    "protection": {
        "followed": ["urlhaus"],
        "missing": [],
        "never": False,
        "starter": [],
        "links": {"lan0": "closed"},
    },
    "log": STATUS["log"] | {"pace": None, "bypass": {"blocks": 0}, "problem": ""},
    "tunnels": {"at": None, "names": 0},
    "signals": {
        "gap_s": 0.0,
        "watchdog_failing": False,
        "disk": {"free": 20_000_000_000, "size": 32_000_000_000},
        "log_lost_at": None,
        "history": {"ok": True, "verified_at": NOW},
        "self_test": {"at": NOW, "passed": 80, "failed": 0, "unknown": 3, "open_to": []},
        "certificate": None,
        "backup": {"done_at": NOW - 3600, "failing_since": None, "problem": "", "octets": 9},
        "links": {"read_at": NOW, "passages": {"lan0": "closed"}},
    },
    "program": {
        "taken_back_at": None,
        "waiting_since": None,
        "waits_for": "",
        "offered": "",
        "sentence": i18n.to_plain(i18n.UNSAID),
    },
    "pauses": [],
    "doubts": [],
    "disputes": [],
    "guarded": [],
    "in_memory": [],
    "changes": {"problems": []},
    "accounts": {"damaged": False, "recovered_at": None},
}
"""Of a gateway with which all is well, and all is known."""


class Case(NamedTuple):
    """Changes of ``WELL`` by part, their subject, its state and its alert."""

    changes: Status
    subject: ProtectionSubject
    state: LineState
    alert: str = ""


_S, _L = ProtectionSubject, LineState
_UNMET = {"error": "expectation-error", "message": "x", "sentence": "x"}

CASES: dict[str, Case] = {
    "a listed name is open": Case(
        {"signals": {"self_test": {"passed": 79, "failed": 1, "unknown": 0, "open_to": ["guest"]}}},
        _S.TEST,
        _L.NOT,
        "self-test",
    ),
    "no self-test yet": Case({"signals": {"self_test": None}}, _S.TEST, _L.UNSEEN),
    "a self-test without an answer": Case(
        {"signals": {"self_test": {"passed": 0, "failed": 0, "unknown": 80}}}, _S.TEST, _L.UNSEEN
    ),
    "wrong answers": Case({"signals": {"watchdog_failing": True}}, _S.ANSWERS, _L.NOT, "watchdog"),
    "a list never came": Case(
        {"protection": {"followed": ["urlhaus", "oisd"], "missing": ["oisd"]}},
        _S.LISTS,
        _L.PARTLY,
        "partly-protected",
    ),
    "a feed never came": Case(
        {"protection": {"never": True}}, _S.LISTS, _L.PARTLY, "partly-protected"
    ),
    "a starter list alone": Case(
        {"protection": {"starter": ["porn"]}}, _S.STARTER, _L.PARTLY, "partly-protected"
    ),
    "old lists": Case({"feed": {"freshness": "old"}}, _S.FEED, _L.PARTLY, "lists-old"),
    "very old lists": Case(
        {"feed": {"freshness": "very-old"}}, _S.FEED, _L.PARTLY, "lists-very-old"
    ),
    "no lists after a day": Case({"feed": {"freshness": "never"}}, _S.FEED, _L.PARTLY, "lists-old"),
    "no lists on the first day": Case(
        {"feed": {"freshness": "never"}, "up_s": DAY_S}, _S.FEED, _L.GOOD
    ),
    "a signature that ends": Case(
        {"feed": {"expires_at": NOW + DAY_S - 1}}, _S.FEED, _L.PARTLY, "feed-expires"
    ),
    "a signature for a day": Case({"feed": {"expires_at": NOW + DAY_S}}, _S.FEED, _L.GOOD),
    "a version that waits": Case(
        {"feed": {"judgement": {"version": 7}}}, _S.FEED, _L.PARTLY, "version-held"
    ),
    "a version that is kept": Case({"feed": {"held": "x"}}, _S.FEED, _L.PARTLY, "version-kept"),
    "a failed update": Case({"feed": {"problem": "x"}}, _S.FEED, _L.PARTLY, "lists-problem"),
    "a feed without trust": Case(
        {"feed": {"address": "https://feed.example/", "trusted": False}},
        _S.FEED,
        _L.PARTLY,
        "lists-problem",
    ),
    "lists of an unknown age": Case(
        {"feed": {"freshness": "unknown"}}, _S.FEED, _L.PARTLY, "lists-problem"
    ),
    "an open link": Case(
        {"protection": {"links": {"lan0": "closed", "lan1": "open"}}},
        _S.LINKS,
        _L.PARTLY,
        "partly-protected",
    ),
    "an unsure link": Case({"protection": {"links": {"lan0": "unsure"}}}, _S.LINKS, _L.UNSEEN),
    "no gateway": Case({"protection": {"links": {}}}, _S.LINKS, _L.UNSEEN),
    "links at which nobody looked": Case(
        {"protection": {"links": {}}, "signals": {"links": None}}, _S.LINKS, _L.UNSEEN
    ),
    "many ways around": Case({"log": {"bypass": {"blocks": 500}}}, _S.BYPASS, _L.PARTLY, "bypass"),
    "some ways around": Case({"log": {"bypass": {"blocks": 499}}}, _S.BYPASS, _L.GOOD),
    "far fewer lookups": Case(
        {"log": {"pace": {"now": 19, "last_week": 200}}}, _S.BYPASS, _L.PARTLY, "few-lookups"
    ),
    "a tenth of the lookups": Case(
        {"log": {"pace": {"now": 20, "last_week": 200}}}, _S.BYPASS, _L.GOOD
    ),
    "few lookups, now and before": Case(
        {"log": {"pace": {"now": 0, "last_week": 199}}}, _S.BYPASS, _L.GOOD
    ),
    "a tunnel": Case(
        {"tunnels": {"at": NOW - 3_599, "names": 12_000}}, _S.BYPASS, _L.PARTLY, "tunnel"
    ),
    "a tunnel of before": Case({"tunnels": {"at": NOW - 3_600, "names": 700}}, _S.BYPASS, _L.GOOD),
    "a pause": Case({"pauses": [{"kind": "pause"}]}, _S.PAUSE, _L.PARTLY, "pause"),
    "an unmet expectation": Case({"doubts": [_UNMET]}, _S.EXPECTATIONS, _L.PARTLY, "expectations"),
    "no upstream answers": Case(
        {"upstreams": [DOWN, DOWN]}, _S.UPSTREAMS, _L.PARTLY, "upstreams-down"
    ),
    "one upstream is down": Case(
        {"upstreams": [UP, DOWN]}, _S.UPSTREAMS, _L.PARTLY, "upstream-down"
    ),
    "an upstream just went down": Case(
        {"upstreams": [UP, DOWN | {"down_since": NOW - 119}]}, _S.UPSTREAMS, _L.GOOD
    ),
    "no upstream": Case({"upstreams": []}, _S.UPSTREAMS, _L.UNSEEN),
    "an unknown time": Case({"time_is_known": False}, _S.CLOCK, _L.PARTLY, "clock"),
    "a clock that jumped": Case({"clock": {"standing": "jumped"}}, _S.CLOCK, _L.PARTLY, "clock"),
    "an unconfirmed clock": Case(
        {"clock": {"standing": "unconfirmed"}, "up_s": 900.0}, _S.CLOCK, _L.PARTLY, "clock"
    ),
    "a clock not yet confirmed": Case(
        {"clock": {"standing": "unconfirmed"}, "up_s": 899.0}, _S.CLOCK, _L.UNSEEN
    ),
    "a full disk": Case(
        {"signals": {"disk": {"free": 499_999_999, "size": 32_000_000_000}}},
        _S.DISK,
        _L.PARTLY,
        "disk-full",
    ),
    "a small disk with a tenth": Case(
        {"signals": {"disk": {"free": 100_000_000, "size": 1_000_000_000}}}, _S.DISK, _L.GOOD
    ),
    "a disk that cannot be asked": Case({"signals": {"disk": None}}, _S.DISK, _L.UNSEEN),
    "a state in memory": Case({"in_memory": ["policy"]}, _S.STATE, _L.PARTLY, "state-not-written"),
    "an altered history": Case(
        {"signals": {"history": {"ok": False}}}, _S.HISTORY, _L.PARTLY, "history-altered"
    ),
    "a history not yet verified": Case(
        {"signals": {"history": {"ok": None}}}, _S.HISTORY, _L.UNSEEN
    ),
    "no backup for three nights": Case(
        {"signals": {"backup": {"done_at": NOW - 9 * DAY_S, "failing_since": NOW - 3 * DAY_S}}},
        _S.BACKUP,
        _L.PARTLY,
        "no-backup",
    ),
    "no backup for a night": Case(
        {"signals": {"backup": {"done_at": NOW - 2 * DAY_S, "failing_since": None}}},
        _S.BACKUP,
        _L.GOOD,
    ),
    "no backup at all": Case({"signals": {"backup": None}}, _S.BACKUP, _L.UNSEEN),
    "a release that did harm": Case(
        {"program": {"taken_back_at": NOW - 14 * DAY_S + 1}},
        _S.PROGRAM,
        _L.PARTLY,
        "program-taken-back",
    ),
    "a release that waits": Case(
        {"program": {"waiting_since": NOW - 14 * DAY_S}}, _S.PROGRAM, _L.PARTLY, "update-waits"
    ),
    "a release that came yesterday": Case(
        {"program": {"waiting_since": NOW - DAY_S}}, _S.PROGRAM, _L.GOOD
    ),
}
"""Each alone; a stranger to the code should nod at each verdict."""


def status_of(*cases: str) -> Status:
    """Return the status of a gateway with which these cases are, and all else is well."""
    found = dict(WELL)
    for name in cases:
        for part, change in CASES[name].changes.items():
            old = found[part]
            found[part] = {**old, **change} if isinstance(change, dict) else change
    return found
