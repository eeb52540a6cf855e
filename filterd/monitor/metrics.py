# SPDX-License-Identifier: Apache-2.0
"""Turn one status into metrics, in the text format of Prometheus. Pure.

Labels are bounded by the configuration: tier, action, category, upstream. There is never a
client, class, room or name. A block of a category that is ``confidential`` is in no metric, in no
sum either (``daemon.worker_sums``); what has a tier is of hours that are over. A status of another
release may lack a part: its metrics are left out.
"""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Any

from prometheus_client import CollectorRegistry, generate_latest
from prometheus_client.core import (
    CounterMetricFamily,
    GaugeMetricFamily,
    HistogramMetricFamily,
    Metric,
)
from prometheus_client.exposition import CONTENT_TYPE_PLAIN_0_0_4

from filterd.base.protection_facts import ProtectionFacts
from filterd.base.protection_level import judge
from filterd.base.protection_line import SILENT, ProtectionSubject
from filterd.texts.i18n import visible

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from filterd.base.protection_line import JudgedProtection
    from filterd.texts.rows import Row

MEDIA_TYPE = CONTENT_TYPE_PLAIN_0_0_4
_MOST_SERIES = 1_000
"""Of one metric; the configuration keeps them far below."""
_LONGEST_LABEL = 100
_US, _MS = 1_000_000, 1_000
_RCODES = {"0": "NOERROR", "1": "FORMERR", "2": "SERVFAIL", "3": "NXDOMAIN", "4": "NOTIMP"}
_RCODES |= {"5": "REFUSED", "answered": "answered"}
"""``answered``: those that a block may have, together."""

_COUNTERS = (
    ("filterd_cache_hits", "Lookups that the cache answered.", "cache", "hits"),
    ("filterd_cache_misses", "Lookups that the cache could not answer.", "cache", "misses"),
    ("filterd_cache_stale", "Lookups answered with expired data.", "cache", "stale"),
    ("filterd_cache_prefetch", "Entries refreshed before they expired.", "cache", "refreshed"),
    (
        "filterd_upstream_mismatched",
        "Datagrams that did not match the query they claimed to answer.",
        "forwarding",
        "mismatched",
    ),
    ("filterd_tls_resumed", "Handshakes that began with a ticket.", "tls", "resumed"),
    ("filterd_log_lost", "Counts and lookups lost before they were written.", "log", "lost"),
    (
        "filterd_receive_drops",
        "Datagrams dropped by the kernel: the queue was full.",
        "",
        "receive_drops",
    ),
    ("filterd_reload_failures", "Reloads that failed.", "", "reload_failures"),
)
"""Name, help, part and key of the status."""
_GAUGES = (
    ("filterd_cache_entries", "Entries of the cache.", "cache", "entries"),
    ("filterd_cache_size_bytes", "Memory of the cache's entries.", "cache", "octets"),
    ("filterd_in_flight", "Questions that wait for upstreams.", "", "in_flight"),
    ("filterd_tcp_connections", "TCP connections of clients.", "", "tcp_connections"),
    ("filterd_tls_connections", "Connections of DNS over TLS.", "tls", "connections"),
    ("filterd_workers", "Workers that answer.", "", "workers"),
    ("filterd_uptime_seconds", "Time since the daemon started.", "", "up_s"),
    ("filterd_names", "Names on the lists in force.", "", "names"),
    ("filterd_lists", "Lists in force.", "", "lists"),
    (
        "filterd_lists_built_timestamp_seconds",
        "When the lists in force were compiled.",
        "",
        "lists_built_at",
    ),
    ("filterd_clock_known", "Whether the clock is believed.", "", "time_is_known"),
    (
        "filterd_log_last_write_timestamp_seconds",
        "When the log was last written.",
        "log",
        "written_at",
    ),
    ("filterd_log_waiting", "Rows that wait to be written.", "log", "waiting"),
    (
        "filterd_watchdog_failing",
        "Whether the last test questions of the watchdog failed.",
        "signals",
        "watchdog_failing",
    ),
    (
        "filterd_history_sound",
        "Whether the last verification of the history found it unaltered.",
        "signals.history",
        "ok",
    ),
    (
        "filterd_self_tests_failed",
        "Listed names that were open in the last self-test.",
        "signals.self_test",
        "failed",
    ),
    ("filterd_disk_free_bytes", "Free room on the disk of the state.", "signals.disk", "free"),
    ("filterd_disk_size_bytes", "Size of the disk of the state.", "signals.disk", "size"),
)
_LIMITED = ("truncated_rate", "truncated_overload", "dropped_rate", "dropped_overload", "denied")
"""Outcomes of datagrams that were not answered in full."""
_HANDSHAKES = ("handshakes", "failed", "refused_rate", "refused_full")
"""Outcomes of handshakes; those made by a ticket are among ``handshakes``."""
_FEED = (
    (
        "filterd_feed_last_success_timestamp_seconds",
        "When lists were last fetched and verified.",
        "verified_at",
    ),
    ("filterd_feed_expires_timestamp_seconds", "Until when they count as fresh.", "expires_at"),
    ("filterd_feed_version", "The version of the lists in force.", "served"),
    ("filterd_feed_published_version", "The version that was published last.", "published"),
)


def exposition(status: Row | None) -> bytes:
    """Return the metrics of a status; None stands for a daemon that does not answer."""
    registry = CollectorRegistry(auto_describe=False)
    registry.register(_Collector(status))
    return generate_latest(registry)


class _Collector:
    def __init__(self, status: Row | None) -> None:
        self._status = status

    def collect(self) -> Iterable[Metric]:
        status = self._status
        yield _gauge("filterd_up", "Whether the daemon answers.", status is not None)
        judged = SILENT if status is None else judge(ProtectionFacts.of(status))
        yield from _protection(judged)
        if status is not None:
            yield from _metrics(status)


def _metrics(status: Row) -> Iterator[Metric]:
    for name, help_, part, key in _COUNTERS:
        row = _part(status, part)
        # Where workers count by name, what has not happened yet is not there.
        if _is_number(value := row.get(key, 0 if part == "forwarding" else None)):
            yield CounterMetricFamily(name, help_, value=value)
    for name, help_, part, key in _GAUGES:
        if _is_number(value := _part(status, part).get(key)):
            yield _gauge(name, help_, value)
    yield _counts(
        "filterd_limited",
        "Datagrams that got no full answer, by reason.",
        ("why",),
        (((why,), _part(status, "datagrams").get(why)) for why in _LIMITED),
    )
    yield from _tls(_part(status, "tls"))
    yield _counts(
        "filterd_answers",
        "Answers by source.",
        ("source",),
        (((source,), n) for source, n in _part(status, "answers").items()),
    )
    yield from _traffic(_part(status, "traffic"))
    yield from _upstreams(status.get("upstreams", ()))
    yield from _feeds(_part(status, "feed"))
    yield _gauge(
        "filterd_unmet_expectations",
        "Expectations that policy and lists do not meet.",
        len(status.get("doubts", ())),
    )
    yield _things(status)
    yield _info("filterd_policy_info", "The policy in force.", digest=status.get("policy"))
    yield _info("filterd_build_info", "The release that runs.", version=status.get("version"))


def _tls(tls: Row) -> Iterator[Metric]:
    """Yield what is counted of DNS over TLS; nothing where it is not served."""
    if tls:
        yield _gauge(
            "filterd_tls_sound",
            "Whether port and certificate of DNS over TLS are in order.",
            not tls.get("problem"),
        )
        yield _counts(
            "filterd_tls_handshakes",
            "Handshakes of DNS over TLS by outcome; handshakes: completed.",
            ("outcome",),
            (((outcome,), tls.get(outcome)) for outcome in _HANDSHAKES),
        )


def _traffic(traffic: Row) -> Iterator[Metric]:
    """Yield what workers have counted since they started."""
    yield _counts(
        "filterd_dns_responses",
        "Answers by tier and action in hours that are over; without confidential categories.",
        ("tier", "action"),
        _flat(_part(traffic, "responses")),
    )
    rcodes = _part(traffic, "rcodes").items()
    yield _counts(
        "filterd_dns_rcodes",
        "Replies by response code; answered: NOERROR, NXDOMAIN and REFUSED together.",
        ("rcode",),
        (((_RCODES.get(rcode, "other"),), n) for rcode, n in rcodes),
    )
    yield _counts(
        "filterd_blocked",
        "Blocks by tier and category in hours that are over; without confidential categories.",
        ("tier", "category"),
        _flat(_part(traffic, "blocked")),
    )
    yield _times(
        "filterd_dns_request_duration_seconds",
        "Time from reading a query to sending its reply; fast: by the fast path.",
        "path",
        _part(traffic, "latency"),
    )


def _upstreams(upstreams: Iterable[Row]) -> Iterator[Metric]:
    up = GaugeMetricFamily("filterd_upstream_up", "Whether it answers.", labels=["upstream"])
    rtt = GaugeMetricFamily(
        "filterd_upstream_rtt_seconds", "Its smoothed round-trip time.", labels=["upstream"]
    )
    times = {}
    for upstream in upstreams:
        label = _label(f"{upstream['address']}#{upstream['port']}")
        up.add_metric([label], not upstream["down"])
        if upstream["rtt_ms"] is not None:
            rtt.add_metric([label], upstream["rtt_ms"] / _MS)
        times[label] = upstream.get("latency", {})
    yield up
    yield rtt
    yield _times(
        "filterd_upstream_request_duration_seconds",
        "Time from a query to an upstream to its answer.",
        "upstream",
        times,
    )


def _feeds(feed: Row) -> Iterator[Metric]:
    """Yield the state of the feed and of public lists, as far as they are followed."""
    followed = {}
    if feed.get("address"):
        followed["feed"] = feed
    lists = feed if feed.get("sources") else feed.get("beside")
    if lists:
        followed["lists"] = lists
    for name, help_, key in _FEED:
        family = GaugeMetricFamily(name, help_, labels=["source"])
        for source, row in followed.items():
            if _is_number(row.get(key)):
                family.add_metric([source], row[key])
        if family.samples:
            yield family


def _protection(judged: JudgedProtection) -> Iterator[Metric]:
    """Yield whether this gateway protects wholly, and what is short."""
    help_ = "Whether nothing is known to be short of what this gateway should protect from."
    yield _gauge("filterd_protected", help_, judged.is_whole)
    short = GaugeMetricFamily(
        "filterd_shortfalls", "What a gateway lacks for that, by kind.", labels=["kind"]
    )
    found = Counter[str]()
    for one in judged.short:
        found[one.subject] += max(1, len(one.items))
    for subject in ProtectionSubject:
        short.add_metric([subject.value], found[subject])
    yield short


def _things(status: Row) -> Metric:
    """Return how many changes of each kind hold now."""
    family = GaugeMetricFamily(
        "filterd_exceptions", "Changes by command that hold now, by kind.", labels=["kind"]
    )
    day = _part(status, "day")
    kinds = Counter(str(one.get("kind")) for one in day.get("exceptions", ()))
    kinds["pause"] = len(status.get("pauses", ()))
    kinds["exam"] = len(day.get("exams", ()))
    for kind, n in kinds.items():
        family.add_metric([_label(kind)], n)
    return family


def _times(name: str, help_: str, label: str, by_label: Mapping[str, Row]) -> Metric:
    """Return a histogram.

    Each row has ``buckets``, numbers by upper bound in ms, and ``sum_us``, the sum in µs.
    """
    family = HistogramMetricFamily(name, help_, labels=[label])
    for key, row in by_label.items():
        total, buckets = 0, []
        for bound, n in _part(row, "buckets").items():
            total += n
            buckets.append(("+Inf" if bound == "inf" else str(float(bound) / _MS), total))
        if buckets:
            family.add_metric([_label(key)], buckets, row.get("sum_us", 0) / _US)
    return family


def _counts(
    name: str, help_: str, labels: tuple[str, ...], counts: Iterable[tuple[tuple[str, ...], Any]]
) -> Metric:
    """Return a counter by labels; what is written alike is added up."""
    family = CounterMetricFamily(name, help_, labels=labels)
    sums = Counter[tuple[str, ...]]()
    for key, n in counts:
        written = tuple(map(_label, key))
        if _is_number(n) and (written in sums or len(sums) < _MOST_SERIES):
            sums[written] += n
    for written, n in sums.items():
        family.add_metric(written, n)
    return family


def _flat(nested: Row) -> Iterator[tuple[tuple[str, ...], Any]]:
    for outer, row in nested.items():
        for inner, n in row.items():
            yield (outer, inner), n


def _gauge(name: str, help_: str, value: float) -> Metric:
    return GaugeMetricFamily(name, help_, value=value)


def _info(name: str, help_: str, **labels: Any) -> Metric:
    family = GaugeMetricFamily(name, help_, labels=list(labels))
    family.add_metric(list(map(_label, labels.values())), 1)
    return family


def _label(value: Any) -> str:
    """Return a label's value: bounded, with escapes for what is not printable."""
    return visible(str(value)[:_LONGEST_LABEL])


def _part(row: Row, path: str) -> Any:
    """Return the part of a status at a path of keys; {} if it is missing."""
    part: Any = row
    for one in filter(None, path.split(".")):
        part = part.get(one) if isinstance(part, dict) else None
    return part if isinstance(part, dict) else {}


def _is_number(value: object) -> bool:
    return isinstance(value, int | float)
