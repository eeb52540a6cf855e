# SPDX-License-Identifier: Apache-2.0
"""The effective state comes from the daemon, or from the disk if none runs."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from rich.console import Console

from filterd import control
from filterd.base.errors import ControlError, StoreError
from filterd.cli.context import Context
from filterd.cli.effective_state import (
    in_force,
    policy_in_force,
    policy_of_files,
    read_or_send,
    send_or_none,
    set_at,
    set_now,
)
from filterd.operations.history import ReadOverrides
from filterd.operations.policy import ReadVersions
from filterd.policy import policy_file as policy_store
from filterd.policy.temporary_rules import Overrides
from filterd.texts.i18n import Texts, say

if TYPE_CHECKING:
    from filterd.base.state_folder import StateFolder
    from tests.support.fake_daemon import FakeDaemon


@pytest.fixture
def context(week: Path, quiet: StateFolder) -> Context:
    return Context(week, quiet, Texts("en"), Console(), Console())


def test_what_the_daemon_has_is_what_counts(context: Context, daemon: FakeDaemon) -> None:
    daemon.ask(Path(), "change", kind="room", reason="", room="lab-a", grade="12")
    now = in_force(context)
    assert (now.overrides, now.moment.seats["lab-a"].grade) == (daemon.store.current(), "12")
    assert now.clock.zone.key == "Asia/Ho_Chi_Minh"


def test_without_a_daemon_it_is_what_stands_on_the_disk(
    context: Context, daemon: FakeDaemon
) -> None:
    daemon.ask(Path(), "change", kind="room", reason="", room="lab-a", grade="12")
    before = daemon.clock.wall() - 1
    assert set_at(context, before) == Overrides()
    daemon.stop()
    assert set_now(context) == daemon.store.current()
    assert set_at(context, before) == Overrides()


def test_where_nothing_was_ever_set_nothing_is(context: Context) -> None:
    assert set_now(context) == Overrides()


def test_a_running_daemon_has_the_policy_that_it_loaded(
    context: Context, quiet: StateFolder
) -> None:
    policy = policy_in_force(context)
    quiet.control_socket.touch()
    policy_store.save(quiet.policy, policy.__class__(**{**_fields(policy), "school": "B"}))
    assert policy_in_force(context).school == "B"
    quiet.policy.unlink()
    assert policy_in_force(context).school == policy.school


def test_a_user_that_may_not_read_the_policy_gets_it_from_the_daemon(
    context: Context, quiet: StateFolder, daemon: FakeDaemon
) -> None:
    policy = policy_in_force(context)
    daemon.policy = policy.__class__(**{**_fields(policy), "school": "B"})
    quiet.control_socket.touch()
    assert not quiet.policy.exists()
    assert policy_in_force(context).school == "B"
    assert policy_of_files(context).school == policy.school


def test_users_without_the_lists_see_the_policy_in_force(
    context: Context, quiet: StateFolder, daemon: FakeDaemon, monkeypatch: pytest.MonkeyPatch
) -> None:
    policy = policy_in_force(context)
    daemon.policy = policy.__class__(**{**_fields(policy), "school": "B"})
    quiet.control_socket.touch()
    monkeypatch.setattr("filterd.daemon.policy_reader.os.access", lambda *_: False)
    assert policy_of_files(context).school == "B"


def test_what_cannot_be_read_is_asked_for(context: Context, daemon: FakeDaemon) -> None:
    def refuse() -> list[dict[str, Any]]:
        raise StoreError(say("not for you"))

    assert read_or_send(context, list, ReadVersions()) == []
    assert daemon.commands() == []
    read_or_send(context, refuse, ReadVersions())
    assert daemon.commands() == ["policies"]


def test_without_a_daemon_the_error_of_the_disk_is_reported(context: Context) -> None:
    def refuse() -> list[dict[str, Any]]:
        raise StoreError(say("not for you"))

    with pytest.raises(StoreError, match="not for you"):
        read_or_send(context, refuse, ReadVersions())


def test_a_daemon_that_cannot_say_is_no_daemon_that_is_not_there(
    context: Context, monkeypatch: pytest.MonkeyPatch
) -> None:
    def ask(*_: Any, **__: Any) -> Any:
        raise ControlError(say("no"))

    monkeypatch.setattr(control, "ask", ask)
    assert send_or_none(context, ReadOverrides()) is None
    monkeypatch.setattr(control, "is_running", lambda _: True)
    with pytest.raises(ControlError):
        send_or_none(context, ReadOverrides())


def test_an_answer_of_another_version_is_reported(
    context: Context, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(control, "ask", lambda *_, **__: {"exceptions": [{"id": 1}]})
    with pytest.raises(ControlError, match="another version"):
        set_now(context)


def _fields(policy: Any) -> dict[str, Any]:
    return {name: getattr(policy, name) for name in policy.__dataclass_fields__}
