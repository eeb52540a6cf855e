# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import pytest

from filterd.twins import live_twin

NATIVE, PURE = "json", "filterd.lists._matcher_py"  # any importable module can play the native one
ABSENT = "filterd.lists.no_such_extension"


@pytest.fixture(autouse=True)
def _no_switches(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("FILTERD_PURE", raising=False)
    monkeypatch.delenv("FILTERD_REQUIRE_NATIVE", raising=False)


def test_native_twin_is_preferred() -> None:
    module, native = live_twin(NATIVE, PURE)
    assert (module.__name__, native) == (NATIVE, True)


def test_pure_twin_serves_where_nothing_was_built() -> None:
    module, native = live_twin(ABSENT, PURE)
    assert (module.__name__, native) == (PURE, False)


def test_pure_twin_can_be_asked_for(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FILTERD_PURE", "1")
    assert live_twin(NATIVE, PURE)[1] is False


@pytest.mark.parametrize("pure", ["0", "1"])
def test_required_native_twin_must_be_live(monkeypatch: pytest.MonkeyPatch, pure: str) -> None:
    monkeypatch.setenv("FILTERD_REQUIRE_NATIVE", "1")
    monkeypatch.setenv("FILTERD_PURE", pure)
    with pytest.raises(ImportError, match="FILTERD_REQUIRE_NATIVE"):
        live_twin(ABSENT, PURE)
