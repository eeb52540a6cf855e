# SPDX-License-Identifier: Apache-2.0
"""Lists are decided on in a process of its own, by administrators, one after the other."""

from __future__ import annotations

import asyncio
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

import pytest

from filterd.base import bounded_child
from filterd.base.errors import ControlError, FilterdError
from filterd.base.state_folder import StateFolder
from filterd.daemon.handlers import list_commands
from filterd.daemon.handlers.control_caller import Caller
from filterd.daemon.handlers.list_commands import commands
from filterd.operations.lists import DECISIONS, ReadSources
from filterd.overrides.changes.change_fields import MAX_REASON
from tests.support.clock import FakeClock
from tests.support.daemon import write_site

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from filterd.operations.request import OperationRequest

ROOT = Caller(0, "root", frozenset())
TEACHER = Caller(4_711, "lan", frozenset({"filterd-teacher"}))


@pytest.fixture
def ask(tmp_path: Path) -> Callable[..., Any]:
    """Ask a command of a site that follows nothing."""
    config = write_site(tmp_path / "site", port=5353)
    state = StateFolder(tmp_path / "state")
    setting: Any = SimpleNamespace(config=config, state=state, clock=FakeClock())
    (tmp_path / "state").mkdir()
    known = commands(setting)

    def asked(command: str, caller: Caller = ROOT, **arguments: Any) -> Any:
        return asyncio.run(known[command](arguments, caller))

    return asked


def test_a_hold_is_in_force_and_in_the_history_with_its_author(ask: Callable[..., Any]) -> None:
    assert ask("feed hold", reason="tuần thi") == {"version": None}
    (line,) = ask("feed-history")
    assert line["event"] == "pinned"
    assert "root: tuần thi" in line["why"]


def test_an_error_keeps_its_code(ask: Callable[..., Any]) -> None:
    with pytest.raises(FilterdError, match="no version of the feed waits") as caught:
        ask("feed refuse", reason="thử")
    assert caught.value.code == "feed-held"


def test_others_than_administrators_are_refused_before_anything_runs(
    ask: Callable[..., Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(bounded_child, "run", None)
    values = {"sources": ["urlhaus"], "name": "a.vn", "list": "urlhaus", "reason": "why"}
    requests: list[type[OperationRequest[Any]]] = [*DECISIONS.values(), ReadSources]
    for request in requests:
        given = {one: values[one] for one in request.fields().required}
        with pytest.raises(ControlError, match="lan may not"):
            ask(request.command, TEACHER, **given)


def test_while_one_is_at_work_another_is_refused_and_what_takes_long_goes_on(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    setting: Any = SimpleNamespace(config=tmp_path, state=StateFolder(tmp_path))
    known, released = commands(setting), asyncio.Event()

    async def slowly(*_: Any) -> None:
        await released.wait()

    async def story() -> Any:
        monkeypatch.setattr(asyncio, "to_thread", slowly)
        found = await known["lists update"]({}, ROOT)
        with pytest.raises(ControlError, match="`lists update` is at work"):
            await known["feed rollback"]({}, ROOT)
        released.set()
        return found

    monkeypatch.setattr(list_commands, "ANSWERED_WITHIN_S", 0.0)
    assert asyncio.run(story()) == {"at_work": "lists update"}


def test_public_lists_are_read_once_a_minute_and_after_each_decision(
    ask: Callable[..., Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    read = []

    def rows(_: Any, asked: Any) -> list[int]:
        read.append(asked)
        return [len(read)]

    monkeypatch.setattr(list_commands.ListsDesk, "_in_child", rows)
    assert [ask("lists-sources"), ask("lists-sources")] == [[1], [1]]
    ask("lists update")
    assert ask("lists-sources") == [3]


def test_a_reason_begins_with_its_author(
    ask: Callable[..., Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    asked = []
    monkeypatch.setattr(list_commands.ListsDesk, "_in_child", lambda _, one: asked.append(one))
    for reason in ("--lists", " ", "x" * MAX_REASON):
        ask("feed approve", version="12", reason=reason)
    reasons = ["root: --lists", "", f"root: {'x' * MAX_REASON}"]
    assert [(one.version, one.reason) for one in asked] == [("12", one) for one in reasons]


@pytest.mark.parametrize(
    ("command", "arguments", "why"),
    [
        ("feed refuse", {"version": "--help"}, "does not have the form"),
        ("feed hold", {"version": "1"}, "no field 'version'"),
        ("feed hold", {"reason": "a\u2028b"}, "reason"),
        ("lists exclude", {"name": "a", "list": "b"}, "reason is missing"),
    ],
)
def test_wrong_arguments_are_refused_before_anything_runs(
    ask: Callable[..., Any],
    monkeypatch: pytest.MonkeyPatch,
    command: str,
    arguments: dict[str, Any],
    why: str,
) -> None:
    monkeypatch.setattr(bounded_child, "run", None)
    with pytest.raises(FilterdError, match=why):
        ask(command, **arguments)
