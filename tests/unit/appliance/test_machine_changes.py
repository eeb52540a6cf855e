# SPDX-License-Identifier: Apache-2.0
"""Programs of the operating system, with scripts in their place."""

from __future__ import annotations

import fcntl
import os
from pathlib import Path
from shlex import quote
from typing import TYPE_CHECKING

import pytest

from filterd.appliance import machine_changes
from filterd.appliance.machine_changes import (
    PackageManager,
    join_group,
    put_in_service,
    restart_dashboard,
    run_program,
)
from filterd.base.bounded_child import Ended
from filterd.base.errors import InUseError, StoreError
from filterd.base.paths import SYSTEM_CONFIG
from tests.support.waiting import until

if TYPE_CHECKING:
    from collections.abc import Sequence


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
    with pytest.raises(StoreError, match=r"usermod -aG x lan: no such user; run the command"):
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


def test_another_site_touches_no_service_and_explains_how_to_start(tmp_path: Path) -> None:
    programs = Programs()
    sentence = put_in_service(tmp_path, tmp_path / "socket", programs)
    assert f"filterd serve --config {quote(str(tmp_path))}" in sentence
    assert programs.calls == []


def _manager(folder: Path, script: str, within_s: float = 30.0) -> PackageManager:
    """Return a package manager whose dpkg is a shell script, which notes its words."""
    path = folder / "dpkg"
    path.write_text(f'#!/bin/sh\necho "$*" >>"{folder}/words"\n{script}\n')
    path.chmod(0o755)
    return PackageManager((str(path),), (str(path),), folder / "lock", within_s)


def test_what_was_broken_off_is_finished_before_a_package_is_installed(tmp_path: Path) -> None:
    _manager(tmp_path, 'test "$1" != --configure').install(tmp_path / "package.deb")
    words = (tmp_path / "words").read_text().splitlines()
    assert words == ["--configure --pending", f"--install {tmp_path}/package.deb"]


def test_a_refusal_is_one_sentence(tmp_path: Path) -> None:
    with pytest.raises(StoreError, match="dpkg refused it; why: journalctl"):
        _manager(tmp_path, "exit 1").install(tmp_path / "package.deb")


def test_an_endless_script_is_ended_with_all_that_it_started(tmp_path: Path) -> None:
    script = f"test $1 = --configure && exit\nsleep 1000 & echo $! >'{tmp_path}/child'; wait"
    with pytest.raises(StoreError, match="took longer than 0 s and was ended"):
        _manager(tmp_path, script, within_s=0.4).install(tmp_path / "package.deb")
    stat = Path("/proc", (tmp_path / "child").read_text().strip(), "stat")
    until(lambda: not stat.exists() or ") Z " in stat.read_text(), "its end")


def test_a_script_that_was_broken_off_and_hangs_keeps_no_later_package_out(tmp_path: Path) -> None:
    _manager(tmp_path, "test $1 = --install || sleep 1000", within_s=0.4).install(tmp_path)
    assert "--install" in (tmp_path / "words").read_text()


def test_the_scripts_of_a_package_get_nothing_of_the_caller(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PYTHONPATH", "/tmp/foreign")
    script = f"(env; pwd; readlink /proc/self/fd/0) >'{tmp_path}/seen'"
    _manager(tmp_path, script).install(tmp_path / "package.deb")
    seen = (tmp_path / "seen").read_text().splitlines()
    assert "FILTERD_UPDATE=1" in seen
    assert not any("foreign" in one for one in seen)
    assert seen[-2:] == ["/", os.devnull]


def test_the_version_is_what_dpkg_knows(tmp_path: Path) -> None:
    assert _manager(tmp_path, "echo 0.2.0+deb13").version() == "0.2.0+deb13"
    assert _manager(tmp_path, "exit 1").version() == ""


def test_another_front_end_is_not_disturbed(tmp_path: Path) -> None:
    manager = _manager(tmp_path, "true")
    with manager.locked():
        pid = os.fork()
        if pid == 0:
            try:
                with manager.locked():
                    os._exit(1)
            except InUseError:
                os._exit(7)
        assert os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) == 7
    with manager.lock.open("a") as file:
        fcntl.lockf(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
