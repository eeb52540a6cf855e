# SPDX-License-Identifier: Apache-2.0
"""Changes are listed, verified and taken back."""

from __future__ import annotations

import contextlib
import json
import sqlite3
from typing import TYPE_CHECKING

from filterd.overrides.history.store import Store
from tests.support.commands import call

if TYPE_CHECKING:
    from filterd.base.state_folder import StateFolder
    from tests.support.fake_daemon import FakeDaemon


def _change(daemon: FakeDaemon, *names: str) -> None:
    for name in names:
        daemon.ask(
            daemon.store._path,
            "change",
            kind="exception",
            reason="why",
            target_kind="name",
            target=name,
            allow=False,
        )


def _alter(state: StateFolder) -> None:
    """Do to the second change what the store never does."""
    with contextlib.closing(sqlite3.connect(state.overrides, isolation_level=None)) as connection:
        tables = "SELECT name FROM sqlite_master WHERE type = 'table' AND sql LIKE '%previous%'"
        (table,) = connection.execute(tables).fetchone()
        guards = "SELECT name FROM sqlite_master WHERE type = 'trigger'"
        for (guard,) in connection.execute(guards).fetchall():
            connection.execute(f"DROP TRIGGER {guard}")
        connection.execute(f"UPDATE {table} SET reason = 'another' WHERE number = 2")


def test_the_last_change_is_taken_back(here: list[str], daemon: FakeDaemon) -> None:
    _change(daemon, "a.example", "b.example")
    done = call("undo", *here)
    assert (done.code, done.out.splitlines()[0]) == (
        0,
        "Change 3: change 2 of lan is undone: block b.example for everybody",
    )
    assert [exception.target for exception in daemon.store.current().exceptions] == ["a.example"]


def test_without_a_number_it_is_ones_own_and_with_one_anybodys(
    here: list[str], daemon: FakeDaemon
) -> None:
    _change(daemon, "a.example")
    daemon.author = "minh"
    _change(daemon, "b.example")
    daemon.author = "lan"
    assert "Change 3: change 1 of lan is undone" in call("undo", *here).out
    again = call("undo", *here)
    assert again.error_lines == [
        "filterd: there is no change of lan to undo (`filterd history list` shows all;"
        " `filterd undo NUMBER` undoes any of them)"
    ]
    printed = call("undo", "2", *here[:-1], "vi").out
    assert "đã hoàn tác thay đổi 2 của minh: chặn b.example đối với mọi người" in printed


def test_any_change_is_taken_back_by_its_number(here: list[str], daemon: FakeDaemon) -> None:
    _change(daemon, "a.example", "b.example")
    assert "change 1 of lan is undone: block a.example" in call("undo", "1", *here).out
    assert [exception.target for exception in daemon.store.current().exceptions] == ["b.example"]
    again = call("undo", "1", *here)
    assert again.error_lines == [
        "filterd: change 1 has already been undone, by 3 (to restore it, undo change 3)"
    ]


def test_where_nothing_was_changed_nothing_is_taken_back(
    here: list[str], daemon: FakeDaemon
) -> None:
    assert "there is no change of lan to undo" in call("undo", *here).err
    assert call("history", "list", *here).out == "Nothing has been changed yet.\n"
    assert daemon.commands() == ["change", "history"]


def test_the_history_shows_author_time_change_and_reason(
    here: list[str], daemon: FakeDaemon
) -> None:
    _change(daemon, "a.example", "b.example", "c.example")
    shown = call("history", "list", "--limit", "2", *here)
    assert max(map(len, shown.out.splitlines())) <= 80
    assert "a.example" not in shown.out
    for words in ("08:00", "lan", "block c.example", "why"):
        assert words in shown.out
    printed = json.loads(call("history", "list", "--json", *here).out)
    assert [row["number"] for row in printed] == [3, 2, 1]
    assert printed[0]["after"]["exceptions"][0]["target"] == "c.example"


def test_a_sound_history_is_called_so(here: list[str], daemon: FakeDaemon) -> None:
    _change(daemon, "a.example")
    assert call("history", "verify", *here).code == 0
    assert json.loads(call("history", "verify", "--json", *here).out)["ok"] is True
    assert daemon.commands() == ["change", "history-verify", "history-verify"]


def test_an_altered_change_is_found_without_a_daemon_too(
    here: list[str], daemon: FakeDaemon, quiet: StateFolder
) -> None:
    _change(daemon, "a.example", "b.example")
    _alter(quiet)
    daemon.stop()
    done = call("history", "verify", *here)
    assert done.code == 1
    assert "altered from change 2 on: it has been altered" in done.out
    assert json.loads(call("history", "verify", "--json", *here).out)["first_bad"] == 2


def test_a_restart_does_not_make_an_altered_history_a_sound_one(
    here: list[str], daemon: FakeDaemon, quiet: StateFolder
) -> None:
    _change(daemon, "a.example", "b.example")
    _alter(quiet)
    daemon.store = Store(quiet, daemon.clock)
    daemon.store.start()
    (kept,) = quiet.folder.glob("*-altered")
    text = (
        "The present history is intact; the one before is not:\n"
        f"{kept}: this history was altered and has been set aside; find out who did it, then"
        " move the file away\n"
    )
    for _ in ("asked of the daemon", "read from the disk"):
        done = call("history", "verify", *here)
        assert (done.code, done.out) == (1, text)
        daemon.stop()
    kept.rename(quiet.folder / "kept")
    assert call("history", "verify", *here).code == 0


def test_removals_from_the_log_are_shown(here: list[str], daemon: FakeDaemon) -> None:
    removal = {"what": "day", "day": "2025-12-01"}
    daemon.store.change("log-removal", removal, author="minh", reason="asked")
    shown = " ".join(call("history", "list", *here).out.split())
    assert "a day was removed from the log (2025-12-01)" in shown


def test_looks_at_the_log_are_shown_on_demand_only(here: list[str], daemon: FakeDaemon) -> None:
    look = {"view": "class-names", "days": ["2025-12-01"], "class_id": "6A"}
    daemon.store.change("log-view", look, author="minh", reason="")
    assert "minh" not in call("history", "list", *here).out
    shown = " ".join(call("history", "list", "--views", *here).out.split())
    assert "looked at the names that a class asked for (class 6A, 2025-12-01)" in shown
    daemon.stop()
    assert "minh" not in call("history", "list", *here).out
    assert "minh" in call("history", "list", "--views", *here).out
