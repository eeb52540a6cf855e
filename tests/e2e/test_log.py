# SPDX-License-Identifier: Apache-2.0
"""The log of a real daemon: each answer is counted once, and none waits for it."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import sqlite3
from typing import TYPE_CHECKING, Any

import dns.message
import dns.rcode
import pytest

from tests.support.commands import call
from tests.support.counted_log import counted_in
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
from tests.support.processes import children
from tests.support.upstream import FakeUpstream
from tests.support.waiting import until
from tests.support.wire import a_query

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from filterd.base.state_folder import StateFolder

pytestmark = pytest.mark.usefixtures("warm_children")


class School:
    """A site with two workers, whose devices ask by UDP."""

    def __init__(self, folder: Path, built: StateFolder, upstream: int) -> None:
        self.port = free_port()
        self.state = copy_lists(built, folder / "state")
        self.config = write_site(
            folder / "site",
            port=self.port,
            upstream=upstream,
            more=f"workers: 2\ntime_zone: {noon()}\n",
        )

    def serve(self) -> contextlib.AbstractContextManager[Served]:
        return serving(self.config, self.state.folder)

    def ask(self, name: str, grade: str, times: int = 1) -> None:
        """Ask, each time from another port, so that both workers get some."""
        for number in range(times):
            query = a_query(name, message_id=number)
            answer = dns.message.from_wire(asked(self.port, query, SOURCES[grade]))
            assert (answer.rcode() == dns.rcode.NXDOMAIN) is (name == "www.tiktok.com")


@pytest.fixture
def school(tmp_path: Path, built: StateFolder) -> Iterator[School]:
    with FakeUpstream() as upstream:
        upstream.add("good.example. 60 IN A 198.18.0.1")
        yield School(tmp_path, built, upstream.port)


def _totals(served: Served, grade: str = "") -> dict[tuple[str, str, str], int]:
    found: dict[tuple[str, str, str], int] = {}
    for one in counted_in(served.state, grade=grade):
        key = one.grade, one.category, one.action
        found[key] = found.get(key, 0) + one.n
    return found


def _sum(served: Served, n: int) -> int:
    """Return how many answers are in the totals, as soon as they are ``n``.

    A round of the log that lasts longer than 1.5 s, on a busy disk, is not waited for.
    """
    found = 0

    def is_there() -> bool:
        nonlocal found
        found = sum(_totals(served).values())
        return found >= n

    until(is_there, f"{n} answers")
    return found


def _log(served: Served) -> dict[str, Any]:
    log: dict[str, Any] = json.loads(call("status", "--json", *served.options).out)["log"]
    return log


def _on_disk(path: Path) -> int:
    with contextlib.closing(sqlite3.connect(path)) as connection:
        value: int = connection.execute("SELECT SUM(n) FROM totals").fetchone()[0]
        return value


def test_answers_are_counted_by_grade_category_and_action(school: School) -> None:
    with school.serve() as served:
        school.ask("www.tiktok.com", "3", 20)
        school.ask("good.example", "3", 5)
        school.ask("good.example", "staff", 2)
        school.ask("localhost", "staff")
        assert _sum(served, 28) == 28
        assert _totals(served) == {
            ("3", "social-media", "blocked"): 20,
            ("3", "", "pass"): 5,
            ("staff", "", "pass"): 2,
            ("staff", "", "local"): 1,
        }
        assert set(_totals(served, "3")) == {
            ("3", "social-media", "blocked"),
            ("3", "", "pass"),
        }
        assert _log(served)["today"] == {"blocked": 20, "pass": 7, "local": 1}
        shown = call("log", "totals", "--json", *served.options)
        assert json.loads(shown.out) == []  # before their hour is over


def test_the_file_knows_no_name_and_no_address(school: School) -> None:
    with school.serve() as served:
        school.ask("www.tiktok.com", "3")
        school.ask("good.example", "3")
        assert served.end() == 0
    content = school.state.query_log.read_bytes()
    assert b"social-media" in content
    for secret in (b"tiktok", b"good", b"127.0"):
        assert secret not in content


def test_a_stop_writes_everything_and_a_restart_adds_to_it(school: School) -> None:
    for times in (7, 14):
        with school.serve() as served:
            school.ask("www.tiktok.com", "3", 7)
            assert served.end() == 0
        assert _on_disk(school.state.query_log) == times
        assert [one.name for one in school.state.folder.glob("query-log*")] == ["query-log.sqlite3"]


def test_a_manager_that_is_killed_loses_nothing(school: School) -> None:
    with school.serve() as served:
        school.ask("www.tiktok.com", "3", 7)
        assert _sum(served, 7) == 7
        school.ask("www.tiktok.com", "3", 5)
        os.kill(children(served.process.pid)[0], signal.SIGKILL)
        school.ask("www.tiktok.com", "3", 5)
        while call("status", *served.options).code != 0:
            pass
        assert served.end() == 0
    assert _on_disk(school.state.query_log) == 17


def test_a_worker_that_is_killed_takes_at_most_its_own_with_it(school: School) -> None:
    with school.serve() as served:
        school.ask("www.tiktok.com", "3", 20)
        assert _sum(served, 20) == 20
        os.kill(children(served.process.pid)[1], signal.SIGKILL)
        served.wait_for("ended (signal 9)")
        school.ask("www.tiktok.com", "3", 20)
        assert _sum(served, 40) == 40


def test_while_another_process_holds_the_file_everybody_is_answered(school: School) -> None:
    with school.serve() as served:
        school.ask("www.tiktok.com", "3")
        assert _sum(served, 1) == 1
        with contextlib.closing(sqlite3.connect(school.state.query_log)) as other:
            other.isolation_level = None
            other.execute("BEGIN EXCLUSIVE")
            for _ in range(2):
                school.ask("www.tiktok.com", "3", 20)
                log = _log(served)
                assert log["today"] == {"blocked": 1}
            assert "locked" in log["problem"]
            assert log["waiting"] > 0
            other.execute("ROLLBACK")
        assert _sum(served, 41) == 41
        assert _log(served)["problem"] == ""


def test_a_damaged_file_gives_way_to_a_new_one(school: School) -> None:
    school.state.query_log.write_bytes(b"\xff" * 20_000)
    with school.serve() as served:
        school.ask("www.tiktok.com", "3", 3)
        assert sum(_totals(served).values()) in (0, 3)  # read while it is being replaced, or after
        served.wait_for("a new one begins")
        assert _sum(served, 3) == 3


def test_a_log_that_is_off_counts_nothing_but_minutes_in_service(school: School) -> None:
    with (school.config / "site.yaml").open("a", encoding="utf-8") as site:
        site.write("log: {level: off}\n")
    with school.serve() as served:
        school.ask("www.tiktok.com", "3", 3)
        assert _totals(served) == {}
        assert _log(served)["level"] == "off"
        assert served.end() == 0
    with contextlib.closing(sqlite3.connect(school.state.query_log)) as file:
        counted = file.execute("SELECT (SELECT COUNT(*) FROM totals), (SELECT COUNT(*) FROM days)")
        assert counted.fetchone() == (0, 1)
