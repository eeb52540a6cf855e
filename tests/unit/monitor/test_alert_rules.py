# SPDX-License-Identifier: Apache-2.0
"""Each alert holds when its condition does, and its text leads to no child."""

from __future__ import annotations

from typing import Any

import pytest

from filterd.monitor.alert_rules import RULES, active, silent
from tests.support.fake_daemon import STATUS

NOW = 1_764_550_800.0
FEED: dict[str, Any] = {
    "address": "https://feed.example/",
    "freshness": "fresh",
    "expires_at": NOW + 10 * 86_400,
    "judgement": None,
    "beside": None,
}
WELL: dict[str, Any] = STATUS | {
    "feed": FEED,
    "upstreams": [{"address": "192.0.2.53", "down": False}, {"address": "::1", "down": False}],
    "clock": {"standing": "known"},
    "accounts": {"number": 3, "damaged": False, "recovered_at": None},
    "log": STATUS["log"] | {"pace": None, "levels": {"primary": "counts"}, "bypass": {"blocks": 0}},
    "signals": {
        "gap_s": 0.0,
        "watchdog_failing": False,
        "disk": {"free": 20_000_000_000, "size": 32_000_000_000},
        "log_lost_at": None,
        "history": {"ok": True, "verified_at": NOW},
        "self_test": None,
        "certificate": {"ends_at": NOW + 21 * 86_400},
    },
    "program": {"taken_back_at": None, "waiting_since": None},
}
DOWN = {"address": "192.0.2.53", "down": True, "down_since": NOW - 120}


def _with(part: str, **changes: Any) -> dict[str, Any]:
    return WELL | {part: WELL[part] | changes}


HOLDS: dict[str, dict[str, Any]] = {
    "upstreams-down": WELL | {"upstreams": [DOWN, DOWN]},
    "upstream-down": WELL | {"upstreams": [DOWN, WELL["upstreams"][1]]},
    "watchdog": _with("signals", watchdog_failing=True),
    "self-test": _with("signals", self_test={"at": NOW, "passed": 80, "failed": 1, "unknown": 3}),
    "history-altered": _with("signals", history={"ok": False, "verified_at": NOW}),
    "lists-very-old": _with("feed", freshness="very-old"),
    "lists-old": _with("feed", beside=FEED | {"address": "", "sources": 3, "freshness": "old"}),
    "partly-protected": _with("protection", missing=["urlhaus"]),
    "lists-problem": _with("feed", problem="the server is away"),
    "version-kept": _with("feed", held="7"),
    "feed-expires": _with("feed", expires_at=NOW + 3600),
    "version-held": _with("feed", judgement={"version": 7}),
    "program-taken-back": _with("program", taken_back_at=NOW - 14 * 86_400 + 1),
    "update-waits": _with("program", waiting_since=NOW - 14 * 86_400),
    "service-gap": _with("signals", gap_s=301.0) | {"up_s": 60},
    "disk-full": _with("signals", disk={"free": 90_000_000, "size": 1_000_000_000}),
    "state-not-written": WELL | {"in_memory": ["policy"]},
    "log-not-written": _with("log", problem="disk full"),
    "log-lost": _with("signals", log_lost_at=NOW - 3599),
    "few-lookups": _with("log", pace={"now": 19, "last_week": 200}),
    "bypass": _with("log", bypass={"blocks": 500}),
    "address-disputed": WELL | {"disputes": [["02:00:5e:10:00:01", "02:00:5e:10:00:02"]]},
    "tunnel": _with("tunnels", at=NOW - 3599, names=700),
    "clock": _with("clock", standing="jumped"),
    "accounts-damaged": _with("accounts", damaged=True),
    "account-recovered": _with("accounts", recovered_at=NOW - 7 * 86_400 + 1),
    "no-report": _with("signals", reports={"failing_since": NOW - 86_400.0}),
    "no-backup": _with("signals", backup={"done_at": None, "failing_since": NOW - 3 * 86_400.0}),
    "certificate-ends": _with("signals", certificate={"ends_at": NOW + 21 * 86_400 - 1}),
    "enrolment-ends": _with("signals", enrolment={"ends": NOW + 30 * 86_400 - 1}),
    "expectations": WELL | {"doubts": [{"error": "x"}]},
    "guarded-open": WELL | {"guarded": [{"category": "violence"}]},
    "pause": WELL | {"pauses": [{"kind": "pause"}]},
    "locked-part": WELL | {"day": {"locked_parts": [{"part": "gore", "whole": "violence"}]}},
    "full-log": _with("log", levels={"primary": "full"}),
}
ENDED = _with("signals", certificate={"ends_at": NOW})
NEVER = _with("feed", freshness="never")
ALMOST: dict[str, dict[str, Any]] = {
    "upstream-down": WELL | {"upstreams": [DOWN | {"down_since": NOW - 119}, *WELL["upstreams"]]},
    "lists-old": _with("feed", address="", freshness="very-old"),
    "lists that have just been followed": NEVER | {"up_s": 86_400},
    "feed-expires": _with("feed", expires_at=NOW + 86_400),
    "program-taken-back": _with("program", taken_back_at=NOW - 14 * 86_400),
    "update-waits": _with("program", waiting_since=NOW - 14 * 86_400 + 1),
    "service-gap": _with("signals", gap_s=301.0) | {"up_s": 3600},
    "disk-full": _with("signals", disk={"free": 110_000_000, "size": 1_000_000_000}),
    "log-lost": _with("signals", log_lost_at=NOW - 3600),
    "few-lookups": _with("log", pace={"now": 20, "last_week": 200}),
    "few-lookups at night": _with("log", pace={"now": 0, "last_week": 199}),
    "a tunnel that has ended": _with("tunnels", at=NOW - 3600, names=700),
    "account-recovered": _with("accounts", recovered_at=NOW - 7 * 86_400),
    "a school without a dashboard": _with("signals", certificate=None),
    "what could not be asked for": _with(
        "signals", self_test={"at": NOW, "passed": 80, "failed": 0, "unknown": 3}
    ),
    "enrolment-ends": _with("signals", enrolment={"ends": NOW + 30 * 86_400}),
    "history not yet verified": _with("signals", history={"ok": None, "verified_at": None}),
}


def test_a_school_in_order_has_no_alert() -> None:
    assert active(WELL, NOW) == []


@pytest.mark.parametrize("rule", [one.id for one in RULES])
def test_an_alert_holds_alone_when_its_condition_does(rule: str) -> None:
    (alert,) = active(HOLDS[rule], NOW)
    assert alert.id == rule
    assert alert.sentence
    assert alert.remedy


@pytest.mark.parametrize("status", ALMOST.values(), ids=ALMOST)
def test_just_below_its_bound_no_alert_holds(status: dict[str, Any]) -> None:
    assert active(status, NOW) == []


def test_a_disputed_address_is_an_alert_with_the_macs_of_both_devices() -> None:
    (alert,) = active(HOLDS["address-disputed"], NOW)
    both = "two devices claim one address: 02:00:5e:10:00:01, 02:00:5e:10:00:02"
    assert alert.sentence == both
    one = ["02:00:5e:10:00:01", "02:00:5e:10:00:02", "02:00:5e:10:00:03"]
    (alert,) = active(WELL | {"disputes": [one, one[1:]]}, NOW)
    assert alert.sentence.startswith("several devices claim one address: ")
    (hidden,) = active(WELL | {"disputes": [[]]}, NOW)
    assert hidden.sentence == "several devices claim one address", "to who may not see devices"


def test_lists_that_never_came_are_an_alert_after_a_day() -> None:
    (alert,) = active(NEVER | {"up_s": 86_401}, NOW)
    assert (alert.id, "no lists have come yet" in alert.sentence) == ("lists-old", True)


def test_a_certificate_that_has_ended_stays_an_alert() -> None:
    (alert,) = active(ENDED, NOW)
    assert (alert.id, "has ended" in alert.sentence) == ("certificate-ends", True)


def test_the_most_severe_alert_is_the_first() -> None:
    status = WELL | {"pauses": [{}], "doubts": [{}], "upstreams": [DOWN]}
    alerts = active(status, NOW)
    assert [alert.severity.value for alert in alerts] == ["critical", "warning", "notice"]


def test_a_daemon_of_another_release_raises_no_alert_by_what_it_lacks() -> None:
    assert active({}, NOW) == []
    assert [one.id for one in active({"pauses": [{}], "signals": 7}, NOW)] == ["pause"]


PLANTED = "lop-6A.tu-hai.example 10.0.6.21 self-harm child-abuse"


def _planted(value: Any) -> Any:
    """Return a status with planted text in the place of every text that no rule compares."""
    if isinstance(value, dict):
        kept = {"freshness", "standing", "levels"}
        return {key: value[key] if key in kept else _planted(value[key]) for key in value}
    if isinstance(value, list):
        return [*map(_planted, value), PLANTED]
    return PLANTED if isinstance(value, str) else value


@pytest.mark.parametrize("rule", [one.id for one in RULES])
def test_no_alert_has_a_class_a_name_an_address_or_a_category(rule: str) -> None:
    status = HOLDS[rule]
    hostile = {key: _planted(value) for key, value in status.items()}
    hostile["upstreams"] = [one | {"address": PLANTED} for one in status["upstreams"]]
    found = [one.to_plain() for one in active(hostile, NOW)]
    assert rule in [one["id"] for one in found]
    for word in PLANTED.split():
        assert word not in str(found)


def test_a_daemon_that_does_not_answer_is_an_alert() -> None:
    assert silent(75.0).sentence == "filterd has not answered for 75 seconds"
