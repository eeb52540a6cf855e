# SPDX-License-Identifier: Apache-2.0
"""Two hundred appliances at once at a real nginx, configured by ``deploy/``."""

from __future__ import annotations

import shutil
from collections import Counter
from typing import TYPE_CHECKING

import pytest
import requests

from filterd.base.paths import shipped
from filterd.publish.signing import targets_of
from tests.e2e.feed_crowd import crowd
from tests.e2e.nginx import nginx
from tests.support.publisher import NOW, Publisher

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

    from tests.e2e.feed_crowd import Done
    from tests.e2e.nginx import Nginx, Request

pytestmark = pytest.mark.long

APPLIANCES = 200


def _publish(publisher: Publisher, folder: Path, *earlier: Path, urgent: bool = False) -> int:
    targets = targets_of(folder, earlier)
    return publisher.repository.publish(targets, publisher.signers, now=NOW, urgent=urgent)


def _at_once(requests: Iterable[Request]) -> int:
    """Return how many connections were between their first and their last request at once."""
    ended: dict[int, list[float]] = {}
    for request in requests:
        ended.setdefault(request.connection, []).append(request.ended)
    events = sorted((at, change) for all_of in ended.values() for at, change in _ends(all_of))
    most = now = 0
    for _, change in events:
        now -= change
        most = max(most, now)
    return most


def _ends(moments: list[float]) -> tuple[tuple[float, int], tuple[float, int]]:
    return (min(moments), -1), (max(moments), 1)


def _figures(what: str, server: Nginx, cpu_s: float, before: int) -> str:
    requests = server.requests()[before:]
    statuses = dict(Counter(request.status for request in requests))
    sent = sum(request.sent_octets for request in requests) / APPLIANCES
    received = sum(request.received_octets for request in requests) / APPLIANCES
    return (
        f"{what}: {len(requests) / APPLIANCES:.1f} requests, {sent:,.0f} octets sent and"
        f" {received:,.0f} received each; {1e6 * (server.cpu_s - cpu_s) / len(requests):.0f} us"
        f" of nginx a request; {statuses}"
    )


def test_200_appliances_take_all_that_is_published_at_once(tmp_path: Path) -> None:
    publisher = Publisher(tmp_path / "public")
    first, second = tmp_path / "first", tmp_path / "second"
    unpublished = shutil.ignore_patterns("README.md", "evidence.yaml", "schools")
    shutil.copytree(shipped("blocklists"), first, ignore=unpublished)
    shutil.copytree(first, second)
    changed = max((second / "starter").glob("*.txt"), key=lambda path: path.stat().st_size)
    changed.write_text(changed.read_text() + "urgent.example\n")
    _publish(publisher, first)
    figures = []
    with (
        nginx(publisher.folder, tmp_path / "nginx") as server,
        crowd(APPLIANCES, tmp_path / "sites", server.url, publisher.root, NOW) as sites,
    ):

        def all_do(what: str) -> list[Done]:
            cpu_s, before = server.cpu_s, len(server.requests())
            done = sites.do("run" if "run" in what else "check")
            figures.append(_figures(what, server, cpu_s, before))
            assert [one.error for one in done if one.error] == []
            assert len(done) == APPLIANCES
            return done

        installed = all_do("first run")
        assert {one.version for one in installed} == {2}
        assert _at_once(server.requests()) >= APPLIANCES

        before = len(server.requests())
        assert {one.urgent for one in all_do("first check")} == {False}
        assert {one.urgent for one in all_do("second check")} == {False}
        again = server.requests()[before:]
        assert Counter(one.status for one in again) == {200: APPLIANCES, 304: APPLIANCES}

        urgent = _publish(publisher, second, first, urgent=True)
        assert {one.urgent for one in all_do("check of something urgent")} == {True}
        taken = all_do("run by a difference")
        assert {(one.version, one.by_delta) for one in taken} == {(urgent, 1)}
        assert max(one.octets for one in taken) < 0.02 * min(one.octets for one in installed)
        assert server.errors() == []
    print("\n".join(figures))  # noqa: T201 -- shown by ``pytest -s``


def test_each_kind_of_file_is_kept_as_long_as_it_holds(tmp_path: Path) -> None:
    publisher = Publisher(tmp_path / "public")
    publisher.publish("a.example")
    target = next(path for path in (publisher.folder / "targets/lists").iterdir())
    forever = "public, max-age=31536000, immutable"
    with nginx(publisher.folder, tmp_path / "nginx") as server:
        for path, status, kept in (
            ("metadata/timestamp.json", 200, "public, max-age=30, must-revalidate"),
            ("metadata/1.root.json", 200, forever),
            ("metadata/2.root.json", 404, "public, max-age=60"),
            ("metadata/2.targets.json", 200, forever),
            (f"targets/lists/{target.name}", 200, forever),
            ("targets/lists/none.zst", 404, "public, max-age=60"),
            ("metadata/", 404, None),
            ("", 404, None),
        ):
            answer = requests.get(server.url + path, timeout=30)
            assert (answer.status_code, answer.headers.get("Cache-Control")) == (status, kept), path
            assert "Content-Encoding" not in answer.headers
        assert int(answer.headers["Content-Length"]) < 1_000
