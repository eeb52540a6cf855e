# SPDX-License-Identifier: Apache-2.0
"""Who cannot sign in any more gets a code: at the console, or by a file on the boot partition."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from filterd import control
from filterd.cli import account_recover
from filterd.errors import ControlError
from filterd.i18n import say
from tests.support.account_desk import CODE, AccountDesk, places
from tests.support.commands import call

__all__ = ["places"]

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture
def boot(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    boot = tmp_path / "boot"
    boot.mkdir()
    monkeypatch.setattr(account_recover, "BOOT_FOLDERS", (tmp_path / "firmware", boot))
    return boot


def test_at_the_console_it_is_one_command(
    monkeypatch: pytest.MonkeyPatch, places: list[str]
) -> None:
    desk = AccountDesk(monkeypatch)
    desk.answers["recover"] = CODE
    done = call("account", "recover", "lan", *places)
    assert "/login/code/abc123" in done.out
    assert desk.asked == [("account recover", {"account": "lan"})]


@pytest.mark.parametrize("name", account_recover.REQUESTS)
def test_a_file_on_the_boot_partition_is_answered_beside_it_and_removed(
    monkeypatch: pytest.MonkeyPatch, places: list[str], boot: Path, name: str
) -> None:
    AccountDesk(monkeypatch).answers["recover"] = CODE
    (boot / name).touch()
    done = call("account", "recover", "--boot", *places)
    assert done.code == 0, done.err
    assert [one.name for one in boot.iterdir()] == [account_recover.ANSWER]
    assert (boot / account_recover.ANSWER).read_text().endswith("/login/code/abc123\n")
    again = call("account", "recover", "--boot", *places)
    assert (again.code, "there is no file filterd-recover" in again.err) == (2, True)


def test_a_box_without_a_screen_takes_the_code_that_the_request_has(
    monkeypatch: pytest.MonkeyPatch, places: list[str], boot: Path
) -> None:
    desk = AccountDesk(monkeypatch)
    desk.answers["recover"] = CODE
    (boot / "filterd-recover.txt").write_text("cho-toi-vao-lai-2026\r\n", encoding="utf-8")
    assert call("account", "recover", "--boot", *places).code == 0
    assert desk.asked == [("account recover", {"code": "cho-toi-vao-lai-2026"})]
    (boot / "filterd-recover").write_bytes(b"x" * 2000)
    assert call("account", "recover", "--boot", *places).code == 2


def test_a_request_that_the_daemon_refuses_stays_for_the_next_boot(
    monkeypatch: pytest.MonkeyPatch, places: list[str], boot: Path
) -> None:
    def refuse(*_: object, **__: object) -> None:
        raise ControlError(say("no"))

    monkeypatch.setattr(control, "ask", refuse)
    (boot / "filterd-recover").touch()
    assert call("account", "recover", "--boot", *places).code == 2
    assert [one.name for one in boot.iterdir()] == ["filterd-recover"]
