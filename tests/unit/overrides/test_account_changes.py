# SPDX-License-Identifier: Apache-2.0
"""A change of an account is a row of the history without a secret."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from filterd import words
from filterd.errors import ChangeError
from filterd.overrides.change_kinds import MADE_ELSEWHERE, parse
from filterd.overrides.effects import ChangeEffect
from filterd.overrides.store import Store
from filterd.state_folder import StateFolder
from tests.support.clock import FakeClock

if TYPE_CHECKING:
    from pathlib import Path


def test_it_is_recorded_in_a_chain_that_verifies_and_cannot_be_undone(tmp_path: Path) -> None:
    store = Store(StateFolder(tmp_path), FakeClock())
    store.start()
    about = {"what": "added", "account": "hoa", "roles": ["teacher"]}
    store.change("account", about, author="web:minh", reason="")
    (row,) = store.rows(9)
    assert (row.author, row.effect()) == ("web:minh", ChangeEffect())
    assert store.verify().is_sound
    with pytest.raises(ChangeError, match="has changed nothing"):
        store.change("undo", {"number": 1}, author="minh", reason="")
    assert "account" in MADE_ELSEWHERE


@pytest.mark.parametrize(
    "wrong",
    [
        {"what": "stolen"},
        {"account": ""},
        {"account": "a b"},
        {"roles": ["root"]},
        {"label": "a\nb"},
        {"password": "x"},
    ],
)
def test_what_it_has_is_checked(wrong: dict[str, Any]) -> None:
    with pytest.raises(ChangeError):
        parse("account", {"what": "added", "account": "hoa", **wrong})


def test_there_is_a_sentence_for_each() -> None:
    assert all("{account}" in text for text in words.ACCOUNT_CHANGE.values())
