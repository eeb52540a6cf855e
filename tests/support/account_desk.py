# SPDX-License-Identifier: Apache-2.0
"""A daemon that notes what it is asked of accounts, and answers as it is told to."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from filterd import control

if TYPE_CHECKING:
    from pathlib import Path

    import pytest

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
