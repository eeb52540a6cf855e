# SPDX-License-Identifier: Apache-2.0
"""A gateway that was set up is never offered again; the code is shown until then, not longer."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from filterd.appliance.setup.interview import KEPT, KeptAnswers
from filterd.appliance.setup.site_writer import UNNAMED
from filterd.base.state_folder import StateFolder
from filterd.cli.box import first_boot as module
from tests.support.commands import call

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

NEW = {"school": {"name": UNNAMED}}


class Here:
    """A gateway, as far as the question is whose it is."""

    def __init__(self, folder: Path) -> None:
        self.state = StateFolder(folder)


def write_answers(state: StateFolder) -> None:
    KEPT.save(state.answers, KeptAnswers({}, is_done=True))


def write_accounts(state: StateFolder) -> None:
    state.accounts.write_bytes(b"")


def test_a_new_gateway_waits_for_its_school(tmp_path: Path) -> None:
    here: Any = Here(tmp_path)
    assert not module.is_set_up(here, NEW)
    assert not module.is_set_up(here, {})
    KEPT.save(here.state.answers, KeptAnswers({"school": "A"}))
    assert not module.is_set_up(here, NEW), "an interrupted set-up is none"


@pytest.mark.parametrize("mark", [write_answers, write_accounts])
def test_a_set_up_or_an_account_ends_it(
    tmp_path: Path, mark: Callable[[StateFolder], None]
) -> None:
    here: Any = Here(tmp_path)
    mark(here.state)
    assert module.is_set_up(here, NEW)


def test_a_named_school_has_no_pages(tmp_path: Path) -> None:
    (tmp_path / "site.yaml").write_text("school: {name: Trường A}\nlanguage: en\nnetworks: {}\n")
    places = ("--config", tmp_path, "--state", tmp_path / "state")
    done = call("setup", "--web", *places)
    assert (done.code, done.out) == (0, "This gateway is set up already.\n")


def test_a_damaged_site_is_not_offered_to_the_first_visitor(tmp_path: Path) -> None:
    (tmp_path / "site.yaml").write_text("school: {name: [\n")
    done = call("setup", "--web", "--config", tmp_path, "--state", tmp_path / "state")
    assert done.code == 2


def test_the_code_stands_on_console_and_boot_partition_until_the_end(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    from rich.console import Console  # noqa: PLC0415 -- as the command has one

    (tmp_path / "boot").mkdir()
    monkeypatch.setattr(module, "CONSOLE", tmp_path / "tty1")
    monkeypatch.setattr(module, "BOOT_PARTITIONS", (tmp_path / "boot", tmp_path / "none"))
    monkeypatch.setattr(type(tmp_path), "is_mount", lambda path: path.name == "boot")
    monkeypatch.setattr(module, "SYSTEM_CONFIG", tmp_path)
    here: Any = Here(tmp_path)
    here.config, here.console, here.texts = tmp_path, Console(), None
    with module.code_shown(here, "4F7K-92QX-M3TB"):
        for path in (tmp_path / "tty1", tmp_path / "boot" / module.CODE_FILE):
            assert "4F7K-92QX-M3TB" in path.read_text()
    assert "4F7K-92QX-M3TB" in capsys.readouterr().out
    assert list((tmp_path / "boot").iterdir()) == []
