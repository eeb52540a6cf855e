# SPDX-License-Identifier: Apache-2.0
"""A backup is made and restored while a daemon serves; what it brings is in force at once."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import dns.message
import dns.rcode
import pytest

from filterd import control
from filterd.overrides.history.history_chain import FROM_BACKUP
from filterd.overrides.history.store import Store
from tests.support.changes import an_exception
from tests.support.clock import FakeClock
from tests.support.commands import call
from tests.support.daemon import Served, asked, copy_lists, free_port, serving, write_site
from tests.support.wire import a_query

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from filterd.base.state_folder import StateFolder

pytestmark = pytest.mark.usefixtures("warm_children")

MAC = "02:00:00:00:00:01"


class Live:
    """A daemon, and commands of root."""

    def __init__(self, served: Served, port: int) -> None:
        self.served, self.port = served, port

    def ask(self, command: str, **arguments: Any) -> Any:
        return control.ask(self.served.state.control_socket, command, **arguments)

    def block(self, name: str) -> None:
        self.ask(
            "change", kind="exception", reason="bài học", **an_exception(target=name, allow=False)
        )

    def name_device(self, name: str) -> None:
        self.ask("change", kind="device-name", reason="", mac=MAC, name=name)

    def blocks(self, name: str) -> bool:
        answer = dns.message.from_wire(asked(self.port, a_query(f"{name}.")))
        return answer.rcode() == dns.rcode.NXDOMAIN or any(
            "0.0.0.0" in str(one) for one in answer.answer
        )

    def accounts(self) -> list[str]:
        return [one["account"] for one in self.ask("account list")]

    def run(self, *words: str | Path) -> str:
        done = call(*words, *self.served.options, "--lang", "en")
        assert done.code == 0, done.err
        return done.out


@pytest.fixture
def live(built: StateFolder, tmp_path: Path) -> Iterator[Live]:
    port = free_port()
    config = write_site(tmp_path / "site", port=port)
    with serving(config, copy_lists(built, tmp_path / "state").folder) as served:
        yield Live(served, port)


@pytest.mark.parametrize("is_other_history", [False, True])
def test_what_comes_back_is_in_force_at_once_and_deletions_stay(
    live: Live, built: StateFolder, tmp_path: Path, *, is_other_history: bool
) -> None:
    live.block("cu.example")
    live.name_device("máy của An")
    live.ask("account add", account="lan", roles=["teacher"], password="mot mat khau dai")
    backup = tmp_path / "backup.zip"
    live.run("backup", backup)
    if is_other_history:
        with serving(*_another(built, tmp_path)) as served:
            other = Live(served, _port_of(served))
            other.block("moi.example")
            assert other.blocks("moi.example")
            _restored(other, backup)
            assert other.accounts() == ["lan"]
            assert other.served.state.replaced_history.exists()
        return
    live.block("moi.example")
    live.name_device("")
    assert live.blocks("moi.example")
    out = _restored(live, backup)
    assert "1 thing was removed" in out
    assert "device_names" not in live.ask("overrides")
    rows = live.ask("history", limit=9)
    live.run("undo", str(next(row["number"] for row in rows if row["kind"] == FROM_BACKUP)))
    assert live.blocks("moi.example")


def _restored(box: Live, backup: Path) -> str:
    out = box.run("restore", backup, "--yes")
    assert "is in force" in out
    assert (box.blocks("cu.example"), box.blocks("moi.example")) == (True, False)
    assert box.ask("history-verify")["ok"]
    assert "restored from the backup of" in box.run("history", "list")
    box.block("sau.example")
    assert box.blocks("sau.example")
    assert Store(box.served.state, FakeClock()).verify().is_sound
    return out


def _another(built: StateFolder, tmp_path: Path) -> tuple[Path, Path]:
    config = write_site(tmp_path / "site2", port=free_port())
    return config, copy_lists(built, tmp_path / "state2").folder


def _port_of(served: Served) -> int:
    (one, *_) = control.ask(served.state.control_socket, "status")["listen"]
    port: int = one["port"]
    return port
