# SPDX-License-Identifier: Apache-2.0
"""A status becomes metrics whose labels the configuration bounds."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from prometheus_client.parser import text_string_to_metric_families as parse

from filterd.monitor.metrics import exposition
from tests.support.fake_daemon import STATUS

if TYPE_CHECKING:
    from filterd.texts.rows import Row

TRAFFIC = {
    "responses": {"primary": {"pass": 5, "blocked": 3}},
    "rcodes": {"answered": 8, "2": 1, "9": 4, "10": 1},
    "blocked": {"primary": {"games": 2, "none": 1}},
    "latency": {"fast": {"buckets": {"0.1": 3, "2500": 1, "inf": 2}, "sum_us": 9_500_000}},
}


def _samples(**more: Any) -> dict[tuple[str, frozenset[str]], float]:
    """Return values by name and labels, as Prometheus would read them."""
    text = exposition({**STATUS, **more}).decode()
    return {
        (one.name, frozenset(one.labels.values())): one.value
        for family in parse(text)
        for one in family.samples
    }


def _value(name: str, *labels: str, **more: Any) -> float | None:
    return _samples(**more).get((name, frozenset(labels)))


@pytest.mark.parametrize(
    ("name", "labels", "value"),
    [
        ("filterd_up", (), 1),
        ("filterd_cache_hits_total", (), 9),
        ("filterd_limited_total", ("dropped_rate",), 50),
        ("filterd_receive_drops_total", (), 7),
        ("filterd_upstream_up", ("192.0.2.53#53",), 1),
        ("filterd_upstream_up", ("2001:db8::53#853",), 0),
        ("filterd_upstream_rtt_seconds", ("192.0.2.53#53",), 0.0125),
        ("filterd_policy_info", ("0123456789ab",), 1),
        ("filterd_dns_responses_total", ("primary", "blocked"), 3),
        ("filterd_dns_rcodes_total", ("answered",), 8),
        ("filterd_dns_rcodes_total", ("SERVFAIL",), 1),
        ("filterd_dns_rcodes_total", ("other",), 5),
        ("filterd_blocked_total", ("primary", "games"), 2),
        ("filterd_dns_request_duration_seconds_bucket", ("fast", "0.0001"), 3),
        ("filterd_dns_request_duration_seconds_bucket", ("fast", "+Inf"), 6),
        ("filterd_dns_request_duration_seconds_sum", ("fast",), 9.5),
    ],
)
def test_the_status_is_in_the_metrics(name: str, labels: tuple[str, ...], value: float) -> None:
    assert _value(name, *labels, traffic=TRAFFIC) == value


TLS = {
    "handshakes": 7,
    "resumed": 4,
    "failed": 2,
    "refused_rate": 1,
    "refused_full": 0,
    "connections": 3,
    "listen": [],
    "problem": "",
}


@pytest.mark.parametrize(
    ("name", "labels", "value"),
    [
        ("filterd_tls_connections", (), 3),
        ("filterd_tls_handshakes_total", ("handshakes",), 7),
        ("filterd_tls_handshakes_total", ("refused_rate",), 1),
        ("filterd_tls_resumed_total", (), 4),
        ("filterd_tls_sound", (), 1),
    ],
)
def test_dns_over_tls_is_in_the_metrics_where_it_is_served(
    name: str, labels: tuple[str, ...], value: float
) -> None:
    assert _value(name, *labels, tls=TLS) == value
    assert _value(name, *labels, tls=None) is None


def test_a_certificate_that_is_missing_is_in_the_metrics() -> None:
    assert _value("filterd_tls_sound", tls=TLS | {"problem": "there is no certificate"}) == 0


def test_a_daemon_that_does_not_answer_is_down() -> None:
    lines = exposition(None).decode().splitlines()
    assert {"filterd_up 0.0", "filterd_protected 0.0"} <= set(lines)


@pytest.mark.parametrize(
    ("feed", "sources"),
    [
        ({"address": "https://feed.example"}, {"feed"}),
        ({"address": "https://feed.example", "beside": {"verified_at": 5.0}}, {"feed", "lists"}),
        ({"address": "", "sources": 3}, {"lists"}),
        ({"address": "", "sources": 0}, set()),
    ],
)
def test_what_is_followed_has_its_age(feed: Row, sources: set[str]) -> None:
    name = "filterd_feed_last_success_timestamp_seconds"
    samples = _samples(feed={"verified_at": 5.0, **feed})
    assert {label for one, labels in samples for label in labels if one == name} == sources


def test_a_status_of_another_release_lacks_metrics_and_is_no_error() -> None:
    assert exposition({}).decode().count("\nfilterd_up 1.0") == 1


def test_hostile_words_stay_one_label_each() -> None:
    words = ['a"} 1\nfilterd_up 0', "a\\", "\x00\x1b[31m", "\ud800", "\u202e", "=1+1", "é" * 400]
    blocked = {"blocked": {"primary": dict.fromkeys(words, 1)}}
    text = exposition({**STATUS, "traffic": blocked}).decode()
    assert text.isascii() or text.replace("é", "").isascii()
    assert "\x1b" not in text
    (family,) = [one for one in parse(text) if one.name == "filterd_blocked"]
    shown = {sample.labels["category"] for sample in family.samples}
    assert len(shown) == len(words)
    assert max(map(len, shown)) <= 100
    assert _value("filterd_up", traffic=blocked) == 1


def test_labels_that_are_cut_alike_are_one_series() -> None:
    blocked = {"primary": {"x" * 200 + end: 1 for end in "ab"}}
    assert _value("filterd_blocked_total", "primary", "x" * 100, traffic={"blocked": blocked}) == 2


def test_no_metric_has_more_series_than_its_bound() -> None:
    blocked = {"primary": {str(n): 1 for n in range(5_000)}}
    samples = _samples(traffic={"blocked": blocked})
    assert sum(name == "filterd_blocked_total" for name, _ in samples) == 1_000


def test_no_room_class_or_person_of_the_status_is_in_the_metrics() -> None:
    exception = {"kind": "allow", "target": "planted.example", "author": "planted"}
    day = {
        "blocked_today": {"planted-6A": 3},
        "exceptions": [exception],
        "rooms": [{"room": "planted"}],
    }
    text = exposition({**STATUS, "day": day, "school": "planted", "doubts": ["planted"]})
    assert b"planted" not in text
    assert b'filterd_exceptions{kind="allow"} 1.0' in text
