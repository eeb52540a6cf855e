# SPDX-License-Identifier: Apache-2.0
"""A file is kept under its name; one that is shown can do nothing."""

from __future__ import annotations

from filterd.web.made_files import MadeFile


def test_a_file_is_kept_under_its_name_with_its_type() -> None:
    answer = MadeFile("bao-cao-2026-10.csv", "text/csv; charset=utf-8", b"a,b").answer()
    assert answer.headers["content-disposition"] == 'attachment; filename="bao-cao-2026-10.csv"'
    assert answer.headers["content-type"] == "text/csv; charset=utf-8"
    assert answer.body == b"a,b"
    assert "content-security-policy" not in answer.headers, "that of all pages holds"


def test_a_file_that_is_shown_is_in_a_sandbox_and_loads_nothing() -> None:
    answer = MadeFile("a.html", "text/html", b"<script>alert(1)</script>", is_shown=True).answer()
    assert answer.headers["content-disposition"].startswith("inline")
    policy = answer.headers["content-security-policy"].split("; ")
    assert {"sandbox", "default-src 'none'", "frame-ancestors 'none'"} <= set(policy)
    assert not any("script" in one for one in policy)
