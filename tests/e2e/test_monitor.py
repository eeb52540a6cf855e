# SPDX-License-Identifier: Apache-2.0
"""The monitor of a real daemon, read by Prometheus' own tools."""

from __future__ import annotations

import http.client
import json
import re
import signal
import socket
import subprocess
import sys
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import pytest
from prometheus_client.parser import text_string_to_metric_families as parse

from filterd.wire import name as names
from tests.support.commands import ROOT, call, environment
from tests.support.daemon import (
    SOURCES,
    WITHIN_S,
    asked,
    copy_lists,
    free_port,
    serving,
    write_site,
)
from tests.support.needs import command
from tests.support.waiting import until
from tests.support.wire import a_message

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from filterd.base.state_folder import StateFolder
    from tests.support.daemon import Served

pytestmark = pytest.mark.usefixtures("warm_children")

RULES = ROOT / "deploy" / "prometheus-rules.yaml"
DASHBOARD = ROOT / "deploy" / "grafana.json"
HOSTILE = [b'planted"} 1', b"planted\n\x1b[31m", b"planted\x00\xff", b"<b>planted", b"=planted\\"]
_METRIC = re.compile(r"\bfilterd_[a-z_]+")


def promtool(*words: str, stdin: bytes = b"") -> str:
    """Run promtool of Prometheus, an independent reader, and return its complaints."""
    done = subprocess.run(
        [command("promtool"), *words], input=stdin, capture_output=True, check=False, timeout=60
    )
    return "" if done.returncode == 0 else (done.stdout + done.stderr).decode()


@pytest.fixture(scope="module")
def served(built: StateFolder, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    folder = tmp_path_factory.mktemp("monitored")
    port = free_port()
    config = write_site(folder / "site", port=port, more="workers: 2\n")
    state = copy_lists(built, folder / "state")
    with serving(config, state.folder) as daemon:
        questions = [
            *((grade, "www.tiktok.com") for grade in ("1", "1", "6", "staff")),
            *[("1", "localhost"), ("1", "self-harm.blocked.filterd.example")],
        ]
        for grade, name in questions:
            _ask(port, grade, names.from_text(name))
        for label in HOSTILE:
            _ask(port, "7", bytes([len(label)]) + label + names.from_text("tiktok.com"))
        yield daemon


def _ask(port: int, grade: str, name: bytes) -> None:
    asked(port, a_message(name + bytes((0, 1, 0, 1))), SOURCES[grade])


@contextmanager
def _monitoring(served: Served) -> Iterator[tuple[int, subprocess.Popen[bytes]]]:
    port = free_port()
    words = ["monitor", "--listen", f"127.0.0.1:{port}", *served.options]
    process = subprocess.Popen([sys.executable, "-m", "filterd", *words], env=environment())
    try:
        until(lambda: _is_open(port), "the monitor")
        yield port, process
    finally:
        process.kill()
        process.wait()


def _is_open(port: int) -> bool:
    with socket.socket() as stub:
        return stub.connect_ex(("127.0.0.1", port)) == 0


def _get(port: int, path: str) -> tuple[int, bytes]:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=WITHIN_S)
    connection.request("GET", path)
    reply = connection.getresponse()
    return reply.status, reply.read()


def _values(text: bytes, name: str) -> dict[tuple[str, ...], float]:
    return {
        tuple(one.labels.values()): one.value
        for family in parse(text.decode())
        for one in family.samples
        if one.name == name
    }


@pytest.fixture(scope="module")
def scraped(served: Served) -> bytes:
    with _monitoring(served) as (port, _):
        assert _get(port, "/healthz") == (200, b"")
        status, text = _get(port, "/metrics")
    assert status == 200
    return text


def test_a_scrape_passes_promtool(scraped: bytes) -> None:
    assert promtool("check", "metrics", stdin=scraped) == ""


def test_a_scrape_has_what_was_asked(scraped: bytes) -> None:
    shown = 5 + len(HOSTILE)  # one more was confidential, and is in no number
    assert sum(_values(scraped, "filterd_dns_rcodes_total").values()) == shown
    times = _values(scraped, "filterd_dns_request_duration_seconds_count")
    assert sum(times.values()) == shown
    # Their hour is not over.
    assert not _values(scraped, "filterd_blocked_total")
    assert not _values(scraped, "filterd_dns_responses_total")


def test_a_scrape_has_no_name_client_or_confidential_category(scraped: bytes) -> None:
    for secret in (b"planted", b"tiktok", b"self-harm", *map(str.encode, SOURCES.values())):
        assert secret not in scraped


def test_a_scrape_has_only_labels_that_the_configuration_bounds(scraped: bytes) -> None:
    samples = [one for family in parse(scraped.decode()) for one in family.samples]
    labels = {label for sample in samples for label in sample.labels}
    of_answers = {"tier", "action", "category", "rcode", "path", "le"}
    assert labels <= of_answers | {"source", "upstream", "why", "kind", "digest", "version"}


def test_the_metrics_are_those_of_the_status(served: Served, scraped: bytes) -> None:
    status = json.loads(call("status", "--json", *served.options).out)
    assert _values(scraped, "filterd_names") == {(): status["names"]}
    rcodes = _values(scraped, "filterd_dns_rcodes_total")
    assert sorted(rcodes.values()) == sorted(status["traffic"]["rcodes"].values())


def test_the_end_of_the_daemon_shows_and_the_monitor_ends_in_order(
    tmp_path: Path, built: StateFolder
) -> None:
    config = write_site(tmp_path / "site", port=free_port())
    state = copy_lists(built, tmp_path / "state")
    with serving(config, state.folder) as daemon, _monitoring(daemon) as (port, process):
        assert _get(port, "/healthz") == (200, b"")
        daemon.end()
        until(lambda: _get(port, "/healthz") == (503, b""), "503")
        assert _values(_get(port, "/metrics")[1], "filterd_up") == {(): 0}
        process.send_signal(signal.SIGTERM)
        assert process.wait(WITHIN_S) == 0


def test_the_rules_are_valid() -> None:
    assert promtool("check", "rules", "--lint-fatal", str(RULES)) == ""


def test_rules_and_dashboard_name_only_metrics_that_there_are(scraped: bytes) -> None:
    source = (ROOT / "filterd" / "monitor" / "metrics.py").read_text(encoding="utf-8")
    endings = "_total", "_bucket", "_count", "_sum"
    there = {*_METRIC.findall(source), *_METRIC.findall(scraped.decode())}
    there |= {one + ending for one in there for ending in endings}
    for path in (RULES, DASHBOARD):
        named = set(_METRIC.findall(path.read_text(encoding="utf-8")))
        assert named - there == set()
        assert len(named) > 10


def test_rules_and_dashboard_have_how_far_a_gateway_protects() -> None:
    for path in (RULES, DASHBOARD):
        assert "filterd_protected" in path.read_text(encoding="utf-8")
    assert any("filterd_shortfalls" in query for query in _queries())


def _queries() -> list[str]:
    panels = json.loads(DASHBOARD.read_text(encoding="utf-8"))["panels"]
    return [target["expr"] for panel in panels for target in panel["targets"]]


def test_the_queries_of_the_dashboard_are_valid(tmp_path: Path) -> None:
    filled = [
        query.replace("$__rate_interval", "5m").replace("$instance", ".*") for query in _queries()
    ]
    rules = [{"record": f"panel:{number}", "expr": one} for number, one in enumerate(filled)]
    file = tmp_path / "rules.yaml"
    file.write_text(json.dumps({"groups": [{"name": "panels", "rules": rules}]}), encoding="utf-8")
    assert promtool("check", "rules", "--lint=none", str(file)) == ""


def test_the_dashboard_has_no_label_of_a_person() -> None:
    shown = " ".join(_queries())
    grouped = {
        label.strip()
        for labels in re.findall(r"by \(([^)]*)\)", shown)
        for label in labels.split(",")
    }
    assert grouped <= {
        "source",
        "action",
        "category",
        "tier",
        "le",
        "path",
        "rcode",
        "why",
        "kind",
    }


def _one(series: str, values: str) -> dict[str, str]:
    return {"series": series, "values": values}


UPSTREAM = 'filterd_upstream_up{upstream="192.0.2.53#53"}'
FEED = 'filterd_feed_last_success_timestamp_seconds{source="feed"}'
REQUESTS = 'filterd_dns_rcodes_total{rcode="answered"}'
WEEK = 7 * 24 * 12
"""Intervals of 5 minutes."""


@pytest.mark.parametrize(
    ("alert", "series", "interval", "times"),
    [
        ("FilterdUpstreamDown", [_one(UPSTREAM, "1x5 0x10")], "1m", {"7m": 0, "9m": 1}),
        ("FilterdFeedOld", [_one(FEED, "0x60")], "1h", {"47h": 0, "49h": 1}),
        (
            "FilterdRequestsFell",
            [_one(REQUESTS, f"0+3000x{WEEK} {3000 * WEEK}+0x50")],
            "5m",
            {"168h": 0, "169h": 1},
        ),
        pytest.param(
            "FilterdRequestsFell",
            [_one(REQUESTS, f"0+3000x{WEEK + 20}")],
            "5m",
            {"169h": 0},
            marks=pytest.mark.long,
        ),
        pytest.param(
            "FilterdRequestsFell",  # of a quiet hour nothing is expected
            [_one(REQUESTS, f"0+3x{WEEK} {3 * WEEK}+0x50")],
            "5m",
            {"169h": 0},
            marks=pytest.mark.long,
        ),
        (
            "FilterdServfail",
            [
                _one('filterd_dns_rcodes_total{rcode="answered"}', "0+90x30"),
                _one('filterd_dns_rcodes_total{rcode="SERVFAIL"}', "0+1x10 10+10x20"),
            ],
            "1m",
            {"9m": 0, "25m": 1},
        ),
        ("FilterdLogLost", [_one("filterd_log_lost_total", "0x5 3x20")], "1m", {"5m": 0, "7m": 1}),
        (
            "FilterdPartlyProtected",
            [_one("filterd_protected", "1x10 0x80")],
            "1m",
            {"60m": 0, "75m": 1},
        ),
        ("FilterdDown", [_one("filterd_up", "1x3 0x10")], "1m", {"4m": 0, "8m": 1}),
    ],
)
def test_a_rule_alerts_when_it_must_and_not_before(
    alert: str,
    series: list[dict[str, str]],
    interval: str,
    times: dict[str, int],
    tmp_path: Path,
) -> None:
    """promtool wants whole labels, so the alert is counted by the series ALERTS."""
    counted = f'count(ALERTS{{alertname="{alert}",alertstate="firing"}}) or vector(0)'
    expected: list[dict[str, Any]] = [
        {"expr": counted, "eval_time": at, "exp_samples": [{"labels": "{}", "value": n}]}
        for at, n in times.items()
    ]
    test = {"interval": interval, "input_series": series, "promql_expr_test": expected}
    file = tmp_path / "test.yaml"
    rules = {"rule_files": [str(RULES)], "evaluation_interval": interval, "tests": [test]}
    file.write_text(json.dumps(rules), encoding="utf-8")
    assert promtool("test", "rules", str(file)) == ""
