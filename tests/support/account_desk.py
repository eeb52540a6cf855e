# SPDX-License-Identifier: Apache-2.0
"""A daemon that notes what it is asked of accounts, and gives the answers that it was given."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from filterd import control

if TYPE_CHECKING:
    from pathlib import Path

CODE = {"code": "abc123", "for_s": 900.0, "account": "lan"}


class AccountDesk:
    """Stands where commands look for a daemon."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.asked: list[tuple[str, dict[str, Any]]] = []
        self.answers: dict[str, Any] = {}
        monkeypatch.setattr(control, "ask", self._ask)

    def _ask(self, _: Path, command: str, **arguments: Any) -> Any:
        if command == "clock":
            return {"standing": "known", "shows": 0.0, "policy_time": 0.0, "floor": 0.0}
        self.asked.append((command, arguments))
        return self.answers.get(command.removeprefix("account "), {"account": "lan"})


@pytest.fixture
def desk(monkeypatch: pytest.MonkeyPatch) -> AccountDesk:
    return AccountDesk(monkeypatch)


@pytest.fixture
def places(tmp_path: Path) -> list[str]:
    """Options of commands that only ask the daemon."""
    return ["--config", str(tmp_path), "--state", str(tmp_path), "--lang", "en"]
