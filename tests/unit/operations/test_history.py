# SPDX-License-Identifier: Apache-2.0
"""The history is read within bounds, and changes are taken back."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from filterd.base.errors import ConfigError
from filterd.operations.history import (
    ReadHistory,
    ReadHistoryPage,
    ReadOverrides,
    Undo,
    UndoSetting,
)

if TYPE_CHECKING:
    from filterd.operations.request import OperationRequest


def test_one_s_own_last_change_is_taken_back() -> None:
    assert Undo.read({}).arguments == {"kind": "undo", "reason": ""}
    assert Undo.read({"number": "7"}).arguments == {"kind": "undo", "number": 7, "reason": ""}


def test_what_is_set_is_read_as_of_any_time() -> None:
    assert ReadOverrides.read({}).at is None
    assert ReadOverrides.read({"at": 0}).at == 0.0


def test_a_page_has_two_hundred_rows_by_default() -> None:
    assert ReadHistoryPage.read({}) == ReadHistoryPage(limit=200, views=False, cursor="")


@pytest.mark.parametrize(
    ("kind", "given"),
    [
        (ReadHistory, {"limit": 0}),
        (ReadHistory, {"limit": "all"}),
        (ReadHistory, {"limit": 10**9}),
        (ReadHistory, {"limit": True}),
        (ReadHistory, {"before": "x"}),
        (ReadHistory, {"before": -1}),
        (ReadHistoryPage, {"limit": 1_001}),
        (ReadHistoryPage, {"cursor": "x"}),
        (ReadOverrides, {"at": "now"}),
        (ReadOverrides, {"at": True}),
        (ReadOverrides, {"at": -1}),
        (ReadOverrides, {"at": float("nan")}),
        (ReadOverrides, {"at": 1e300}),
        (Undo, {"number": 0}),
        (UndoSetting, {"number": 7}),
    ],
)
def test_what_is_wrong_is_refused(kind: type[OperationRequest[Any]], given: dict[str, Any]) -> None:
    with pytest.raises(ConfigError):
        kind.read(given)
