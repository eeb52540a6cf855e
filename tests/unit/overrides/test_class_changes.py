# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from filterd.errors import ChangeError
from filterd.overrides.store import Store
from filterd.policy.temporary_rules import ClassLoan
from filterd.state_folder import StateFolder
from tests.support.clock import FakeClock
from tests.support.policies import NOW

if TYPE_CHECKING:
    from pathlib import Path

LENT = {"class_id": "6A", "to": "minh", "ends_at": NOW + 3600}


@pytest.fixture
def store(tmp_path: Path) -> Store:
    store = Store(StateFolder(tmp_path), FakeClock(wall=NOW))
    store.start()
    return store


def test_a_loan_is_set_taken_back_and_in_a_history_that_verifies(store: Store) -> None:
    done = store.change("class-lend", LENT, author="lan", reason="ốm")
    assert done.overrides.loans == (ClassLoan(1, "6A", "minh", "ốm", "lan", NOW, NOW + 3600),)
    assert store.change("undo", {}, author="lan", reason="").overrides.loans == ()
    store.change("class-lend", LENT, author="lan", reason="")
    assert store.change("revoke", {"id": 3}, author="lan", reason="").overrides.loans == ()
    assert store.verify().is_sound


@pytest.mark.parametrize(
    ("wrong", "problem"),
    [
        ({"class_id": "6"}, "class: '6' is not a class"),
        ({"to": "cô lan"}, "the substitute: 'cô lan' is not a user name"),
        ({"ends_at": NOW - 1}, "its end is past"),
        ({"ends_at": None}, "'ends_at' is missing"),
    ],
)
def test_a_loan_that_cannot_be_is_refused(
    store: Store, wrong: dict[str, object], problem: str
) -> None:
    with pytest.raises(ChangeError, match=problem):
        store.change("class-lend", LENT | wrong, author="lan", reason="")
