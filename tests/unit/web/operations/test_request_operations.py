# SPDX-License-Identifier: Apache-2.0
"""The operations on requests ask the manager, and check what they are given."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

import pytest

from filterd import control
from filterd.errors import ConfigError
from filterd.i18n import Texts
from filterd.overrides.roles import Role
from filterd.web.operations.request_operations import APPROVE, OPERATIONS, REFUSE, REQUESTS
from filterd.web.visitor import Visitor

if TYPE_CHECKING:
    from pathlib import Path

    from filterd.web.operation import Operation


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch) -> list[tuple[str, dict[str, Any]]]:
    found = list[tuple[str, dict[str, Any]]]()

    def ask(_: Path, command: str, **more: Any) -> Any:
        kept = {key: more.pop(key) for key in ("act_for", "address", "silence_s")}
        assert (kept["act_for"], kept["address"]) == ("token", "10.0.0.9")
        found.append((command, more))
        return {"request": {"id": 3}}

    monkeypatch.setattr(control, "ask", ask)
    return found


@pytest.fixture
def visitor(tmp_path: Path) -> Visitor:
    return Visitor(tmp_path, "10.0.0.9", "token", texts=Texts("en"))


def _call(visitor: Visitor, operation: Operation, **given: Any) -> Any:
    return asyncio.run(visitor.call(operation, **given))


def test_each_asks_its_command(visitor: Visitor, asked: list[tuple[str, dict[str, Any]]]) -> None:
    _call(visitor, REQUESTS)
    _call(visitor, APPROVE, id="3", reason="Bài 12", term="lesson", for_tier="on")
    refused = _call(visitor, REFUSE, id=3, reason="không cần")
    assert asked == [
        ("requests list", {}),
        ("requests approve", {"id": 3, "reason": "Bài 12", "lesson": True, "for_tier": True}),
        ("requests refuse", {"id": 3, "reason": "không cần"}),
    ]
    assert REFUSE.done is not None
    assert REFUSE.done(refused, visitor) == "request 3 is refused"


@pytest.mark.parametrize(
    ("operation", "given"),
    [
        (APPROVE, {"id": 3, "reason": "x"}),
        (APPROVE, {"id": 0, "reason": "x", "lesson": True}),
        (APPROVE, {"id": 3, "lesson": True}),
        (REFUSE, {"id": 3}),
        (REFUSE, {"id": 3, "reason": "x", "name": "a.example"}),
        (REQUESTS, {"class": "6A"}),
    ],
)
@pytest.mark.usefixtures("asked")
def test_what_is_wrong_is_refused(
    visitor: Visitor, operation: Operation, given: dict[str, Any]
) -> None:
    with pytest.raises(ConfigError):
        _call(visitor, operation, **given)


def test_readers_are_not_shown_them() -> None:
    for operation in OPERATIONS:
        assert operation.roles == {Role.TEACHER, Role.ADMIN}
