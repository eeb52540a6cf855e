# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import os
import subprocess
import sys

import pytest

from filterd.base import native as twins
from filterd.base.native import live_only, native_or

NATIVE = "math"  # any module in C can play the native one
ABSENT = "filterd.lists.no_such_extension"


@pytest.fixture(autouse=True)
def _no_switches(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("FILTERD_PURE", raising=False)
    monkeypatch.delenv("FILTERD_REQUIRE_NATIVE", raising=False)
    monkeypatch.setattr(twins, "_missing", set())


def sqrt(_: float) -> float:
    """Return what no module in C returns."""
    return -1.0


def test_what_is_native_is_preferred() -> None:
    assert native_or(sqrt, NATIVE)(4.0) == 2.0


def test_what_is_plain_serves_where_nothing_was_built() -> None:
    assert native_or(sqrt, ABSENT) is sqrt


def test_what_is_missing_is_known() -> None:
    native_or(sqrt, NATIVE)
    assert twins.missing() == []
    native_or(sqrt, ABSENT)
    assert twins.missing() == [ABSENT]


def test_what_is_plain_can_be_asked_for(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FILTERD_PURE", "1")
    assert native_or(sqrt, NATIVE) is sqrt


@pytest.mark.parametrize("pure", ["0", "1"])
def test_what_is_required_must_be_native(monkeypatch: pytest.MonkeyPatch, pure: str) -> None:
    monkeypatch.setenv("FILTERD_REQUIRE_NATIVE", "1")
    monkeypatch.setenv("FILTERD_PURE", pure)
    with pytest.raises(ImportError, match="FILTERD_REQUIRE_NATIVE"):
        native_or(sqrt, ABSENT)


def test_what_has_no_twin_is_left_out(monkeypatch: pytest.MonkeyPatch) -> None:
    module = live_only(NATIVE)
    assert module is not None
    assert module.__name__ == NATIVE
    assert live_only(ABSENT) is None
    assert twins.missing() == [ABSENT]
    monkeypatch.setenv("FILTERD_PURE", "1")
    assert live_only(NATIVE) is None
    monkeypatch.setenv("FILTERD_REQUIRE_NATIVE", "1")
    with pytest.raises(ImportError, match="FILTERD_REQUIRE_NATIVE"):
        live_only(NATIVE)


def test_a_daemon_without_native_modules_knows_all_that_it_misses() -> None:
    program = "import filterd.daemon.serving.worker, filterd.base.native as t; print(*t.missing())"
    done = subprocess.run(
        [sys.executable, "-c", program],
        env={**os.environ, "FILTERD_PURE": "1"},
        capture_output=True,
        text=True,
        check=True,
    )
    assert set(done.stdout.split()) >= {
        "filterd.fastpath._core",
        "filterd.fastpath._datagrams",
        "filterd.fastpath._rate_limit",
        "filterd.lists._matcher",
        "filterd.resolve._cache",
        "filterd.upstream._pool",
        "filterd.wire._codec",
    }
