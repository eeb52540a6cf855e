# SPDX-License-Identifier: Apache-2.0
"""Overrides and accounts of a backup, brought back by the manager or beside it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from filterd.accounts.account import AccountBook
from filterd.base.errors import ControlError, InUseError
from filterd.base.paths import sole
from filterd.daemon.handlers.restore_commands import REQUEST, RestoreRequest, restore_without_daemon
from filterd.overrides.history import restored_history
from filterd.overrides.history.restored_history import BackupOrigin
from filterd.texts.i18n import say
from tests.support.account_school import STAFF, AccountSchool, people
from tests.support.backed_up_school import BackedUpSchool, an_account

__all__ = ["people"]

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture
def school(tmp_path: Path) -> BackedUpSchool:
    made = BackedUpSchool(tmp_path / "box")
    made.allow("a.example")
    rows = tuple(reversed(made.store.rows()))
    made.allow("b.example")
    request = RestoreRequest(
        BackupOrigin("ab" * 16, 1.0),
        restored_history.dump(rows).decode(),
        AccountBook(1, None, (an_account("lan"),)),
    )
    REQUEST.save(made.state.restore_request, request)
    return made


def test_without_a_daemon_it_is_done_once(school: BackedUpSchool) -> None:
    assert restore_without_daemon(school.state, school.clock) == {"number": 3, "accounts": ["lan"]}
    assert restore_without_daemon(school.state, school.clock) == {"number": 3, "accounts": []}
    assert [exception.target for exception in school.overrides.exceptions] == ["a.example"]


def test_beside_a_daemon_it_is_not_done(school: BackedUpSchool) -> None:
    held = sole(school.state.daemon_lock, otherwise=say("held"))
    with held, pytest.raises(InUseError, match="filterd runs"):
        restore_without_daemon(school.state, school.clock)


def test_only_root_at_the_console_asks_for_it(people: AccountSchool) -> None:
    token = people.sign_in("lan")
    with pytest.raises(ControlError, match="only root"):
        people.web("restore", token, STAFF)
