# SPDX-License-Identifier: Apache-2.0
"""``make audit`` names a vulnerable dependency, and never takes silence for good news."""

from __future__ import annotations

import json
import threading
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING, Any

import pytest

from deploy.package.audit import CLEAN, UNCHECKED, VULNERABLE, _judged, audit

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

FLAW = {
    "id": "GHSA-0000-0000-0000",
    "modified": "2026-01-01T00:00:00Z",
    "details": "It answers too much.",
    "affected": [
        {
            "package": {"name": "h11", "ecosystem": "PyPI"},
            "ranges": [{"type": "ECOSYSTEM", "events": [{"introduced": "0"}, {"fixed": "0.17.0"}]}],
        }
    ],
}


@contextmanager
def _service(flaws: dict[str, Any]) -> Iterator[str]:
    """Answer as OSV does, with a flaw for some names; yield the address."""

    class Answering(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            asked = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
            flaw = flaws.get(asked["package"]["name"])
            body = json.dumps({"vulns": [flaw]} if flaw else {}).encode()
            self.send_response(200)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: object) -> None:
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Answering) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}/v1/query"
        server.shutdown()


@pytest.fixture
def pinned(tmp_path: Path) -> Path:
    file = tmp_path / "constraints.txt"
    file.write_text("# versions\nh11==0.16.0\nidna==3.10\n", encoding="utf-8")
    return file


def test_a_vulnerable_dependency_is_named_with_the_version_that_mends_it(pinned: Path) -> None:
    with _service({"h11": FLAW}) as address:
        code, sentences = audit(pinned, address)
    assert (code, sentences) == (
        VULNERABLE,
        ["h11 0.16.0: GHSA-0000-0000-0000, fixed in 0.17.0"],
    )


def test_a_clean_audit_reports_how_many_were_checked(pinned: Path) -> None:
    with _service({}) as address:
        assert audit(pinned, address) == (
            CLEAN,
            ["2 dependencies checked, no known vulnerability"],
        )


def test_a_service_that_is_not_there_is_no_good_news(pinned: Path) -> None:
    code, (sentence,) = audit(pinned, "http://127.0.0.1:9/v1/query")
    assert code == UNCHECKED
    assert sentence.startswith("nothing was checked: ")


def test_what_the_service_does_not_know_is_no_good_news_either() -> None:
    known = {"name": "h11", "version": "0.16.0", "vulns": []}
    unknown = {"name": "idna", "skip_reason": "not found"}
    assert _judged([unknown])[0] == UNCHECKED
    assert _judged([known, unknown]) == (UNCHECKED, ["not checked, unknown to the service: idna"])
