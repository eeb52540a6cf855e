# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from filterd.appliance import machine_changes
from filterd.appliance.machine_changes import (
    join_group,
    put_in_service,
    restart_dashboard,
    run_program,
)
from filterd.bounded_child import Ended
from filterd.errors import StoreError
from filterd.paths import SYSTEM_CONFIG

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path


class Programs:
    """Programs that note how they were called."""

    def __init__(self, code: int = 0) -> None:
        self.calls: list[str] = []
        self._code = code

    def __call__(self, words: Sequence[str]) -> Ended:
        self.calls.append(" ".join(words))
        return Ended(self._code, b"", b"no such user\n")


def test_users_become_members_one_by_one() -> None:
    programs = Programs()
    join_group(["lan", "minh"], "filterd-admin", programs)
    assert programs.calls == ["usermod -aG filterd-admin lan", "usermod -aG filterd-admin minh"]


def test_a_refusal_names_the_command_to_give_by_hand() -> None:
    with pytest.raises(StoreError, match=r"usermod -aG x lan: no such user; give the command"):
        join_group(["lan"], "x", Programs(6))
    with pytest.raises(StoreError, match="no-such-program"):
        machine_changes._done(run_program, ["no-such-program"])


def test_the_service_of_the_system_is_enabled_and_restarted(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("_SYSTEMD", "_UNIT"):
        monkeypatch.setattr(machine_changes, name, tmp_path)
    programs = Programs()
    assert "service is running" in put_in_service(SYSTEM_CONFIG, tmp_path / "socket", programs)
    assert programs.calls == [
        "systemctl enable --quiet filterd filterd-feed filterd-monitor",
        "systemctl restart filterd filterd-feed filterd-monitor",
        "systemctl enable --quiet --now filterd-web.socket filterd-blockpage.socket",
    ]
    restart_dashboard(SYSTEM_CONFIG, programs)
    assert programs.calls[-1] == "systemctl try-restart filterd-web.service"
    restart_dashboard(tmp_path, programs)
    assert len(programs.calls) == 4, "a trial has no service"


def test_another_site_touches_no_service_and_says_how_to_start(tmp_path: Path) -> None:
    programs = Programs()
    told = put_in_service(tmp_path, tmp_path / "socket", programs)
    assert f"filterd serve --config {tmp_path}" in told
    assert programs.calls == []
