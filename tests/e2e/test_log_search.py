# SPDX-License-Identifier: Apache-2.0
"""Names of a real daemon's log are found, explained and forgotten by commands."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from tests.support.commands import call
from tests.support.daemon import (
    SOURCES,
    Served,
    asked,
    copy_lists,
    free_port,
    noon,
    serving,
    write_site,
)
from tests.support.upstream import FakeUpstream
from tests.support.wire import a_query

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from filterd.base.state_folder import StateFolder

pytestmark = pytest.mark.usefixtures("warm_children")
CLOSED, OPEN = "www.tiktok.com", "good.example"
CONFIDENTIAL = "self-harm.blocked.filterd.example"


class School:
    """A site with two workers whose log has rows of what was blocked."""

    def __init__(self, folder: Path, built: StateFolder, upstream: int) -> None:
        self.port = free_port()
        self.state = copy_lists(built, folder / "state")
        more = f"workers: 2\ntime_zone: {noon()}\nlog: {{level: blocked}}\n"
        self.config = write_site(folder / "site", port=self.port, upstream=upstream, more=more)

    def ask(self, name: str, *, devices: int = 1) -> None:
        """Ask from several devices of grade 3."""
        net = SOURCES["3"].rpartition(".")[0]
        for device in range(devices):
            asked(self.port, a_query(name, message_id=device), f"{net}.{100 + device}")

    def octets(self) -> bytes:
        """Return all that the files of the log have."""
        return b"".join(path.read_bytes() for path in self.state.log_days.iterdir())


@pytest.fixture
def school(tmp_path: Path, built: StateFolder) -> Iterator[School]:
    with FakeUpstream() as upstream:
        upstream.add(f"{OPEN}. 60 IN A 198.18.0.1")
        yield School(tmp_path, built, upstream.port)


def _answer(served: Served, *words: str) -> Any:
    done = call(*words, "--json", *served.options)
    assert done.err == ""
    return json.loads(done.out)


def test_names_are_found_explained_and_forgotten(school: School) -> None:
    with serving(school.config, school.state.folder) as served:
        school.ask(CLOSED, devices=3)
        school.ask(OPEN, devices=6)
        school.ask(CONFIDENTIAL, devices=6)

        answer = _answer(served, "log", "search", "*.tiktok.com", "--grade", "3")
        assert [row["name"] for row in answer["rows"]] == [CLOSED] * 3
        assert {row["action"] for row in answer["rows"]} == {"blocked"}
        assert len({row["device"] for row in answer["rows"]}) == 3
        assert answer["levels"] == {"primary": "blocked"}

        answer = _answer(served, "log", "search", OPEN)
        assert (answer["rows"], [one["devices"] for one in answer["seen"]]) == ([], [5])
        (new,) = _answer(served, "log", "new")["rows"]
        assert (new["name"], new["tier"]) == (OPEN, "primary")
        (top,) = _answer(served, "log", "top")["rows"]
        assert (top["name"], top["n"], top["blocked"]) == (CLOSED, 3, 3)
        whole = _answer(served, "log", "search")
        assert CONFIDENTIAL not in json.dumps(whole)
        assert CONFIDENTIAL not in json.dumps(
            _answer(served, "log", "search", CONFIDENTIAL)["rows"]
        )

        row = whole["rows"][0]
        why = _answer(served, "log", "why", row["id"])
        assert (why["row"], why["then"]["list"]) == (row, row["blocker"])
        shown = call("log", "why", row["id"], "--lang", "en", *served.options)
        assert "By what was in force then" in shown.out
        assert "That differs" not in shown.out

        assert b"com.tiktok.www" in school.octets()
        forget = ("log", "forget", "--name", "*.tiktok.com", "--reason", "asked")
        assert call(*forget, *served.options).code == 0
        assert b"com.tiktok" not in school.octets()
        assert _answer(served, "log", "search", "*.tiktok.com")["rows"] == []

        school.ask(CLOSED)
        assert len(_answer(served, "log", "search", CLOSED)["rows"]) == 1
        assert call("log", "purge", "--reason", "asked", *served.options).code == 0
        assert not any(school.state.log_days.iterdir())
        school.ask(CLOSED)
        assert len(_answer(served, "log", "search", CLOSED)["rows"]) == 1

        rows = _answer(served, "history", "list", "--views")
        kinds = [one["kind"] for one in rows]
        assert kinds.count("log-removal") == 2
        assert "log-view" in kinds
        assert "tiktok" not in json.dumps([one["payload"] for one in rows])
        assert call("history", "verify", *served.options).code == 0
