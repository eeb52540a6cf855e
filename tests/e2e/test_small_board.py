# SPDX-License-Identifier: Apache-2.0
"""A night of followed lists in the memory of a board with 1 GB; lookups go on meanwhile."""

from __future__ import annotations

import json
import re
import threading
from typing import TYPE_CHECKING

import dns.message
import pytest

from filterd.base import process_memory
from filterd.feed.followed import night_memory
from tests.bench.index_figures import made_names
from tests.support.asking import Asker
from tests.support.commands import ROOT, Outcome, call
from tests.support.daemon import SOURCES, build_lists, free_port, serving, write_site
from tests.support.feed_school import answer
from tests.support.memory_board import BOARD_OCTETS, MemoryBoard, memory_board
from tests.support.upstream import FakeUpstream
from tests.support.web import Page, Web, public_server
from tests.support.wire import a_query

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

pytestmark = [pytest.mark.long, pytest.mark.usefixtures("needs_root", "needs_memory_groups")]

MOST_OCTETS = 600_000_000
"""The goal of a night with a million names: everything that runs, with mapped files."""
LISTS = 4
FEED = (ROOT / "deploy/units/filterd-feed.service").read_text(encoding="utf-8")
FEED_PART = int(re.findall(r"^MemoryMax=(\d+)%$", FEED, re.MULTILINE)[0]) / 100


class _School:
    """A school in the memory of a board, with a web server for its lists."""

    def __init__(self, board: MemoryBoard, folder: Path, port: int, web: Web) -> None:
        self.board, self.port, self._folder, self._web = board, port, folder, web

    def night(self, names: int) -> Outcome:
        """Follow so many names in a night, while a pupil asks; return how it ended."""
        listed, result = list(made_names(names)), self._folder / "result.json"
        for number in range(LISTS):
            text = "\n".join(listed[number::LISTS]) + "\n"
            self._web.pages[f"/{number}.txt"] = Page(text.encode())
            words = (f"{self._web.address}/{number}.txt", "--category", "gambling")
            assert self.do("follow", *words, "--format", "domains").code == 0

        def work() -> None:
            done = self.do("update")
            result.write_text(json.dumps(done))

        ended = threading.Event()
        asking = threading.Thread(target=self._ask_until, args=(ended,))
        self.unfiltered = self.asked = 0
        asking.start()
        try:
            code = self.board.at_night(work)
        finally:
            ended.set()
            asking.join()
        # The kernel may end the command, or a child of its own.
        return Outcome(*json.loads(result.read_text())) if code == 0 else Outcome(code, "", "")

    def do(self, *words: str) -> Outcome:
        places = ("--config", self._folder / "site", "--state", self._folder / "state")
        return call("lists", *words, *places)

    def is_blocked(self, name: str) -> bool:
        with Asker(("127.0.0.1", self.port), SOURCES["3"]) as asker:
            return not dns.message.from_wire(asker.by_udp(a_query(name, message_id=1))).answer

    def _ask_until(self, ended: threading.Event) -> None:
        while not ended.wait(0.02):
            self.unfiltered += not self.is_blocked("www.tiktok.com")
            self.unfiltered += self.is_blocked("open.example")
            self.asked += 1


@pytest.fixture
def school(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[_School]:
    # The estimate of a real board; the control groups hold whatever it is.
    monkeypatch.setattr(process_memory, "machine_octets", lambda: BOARD_OCTETS)
    port = free_port()
    (tmp_path / "tls").mkdir()
    with (
        memory_board(FEED_PART) as board,
        FakeUpstream(respond=answer) as upstream,
        public_server(Web(), tmp_path / "tls", monkeypatch) as web,
    ):
        config = write_site(tmp_path / "site", port=port, upstream=upstream.port)
        build_lists(config, tmp_path / "state")
        with serving(config, tmp_path / "state", before=board.enter_words()):
            yield _School(board, tmp_path, port, web)


def test_a_night_of_a_million_names_fits_the_board(school: _School) -> None:
    done = school.night(1_000_000)
    print(f"peak {school.board.peak_octets / 1e6:.0f} MB")  # noqa: T201
    assert done.code == 0, done.err
    assert school.is_blocked(next(iter(made_names(1))))
    assert school.board.peak_octets < MOST_OCTETS
    assert (school.unfiltered, school.board.killed()) == (0, 0)
    assert school.asked


def test_five_million_names_are_refused_in_a_sentence(school: _School) -> None:
    done = school.night(5_000_000)
    assert done.code != 0
    assert "this machine takes at most" in done.err
    assert len(done.error_lines) <= 3
    assert (school.unfiltered, school.board.killed()) == (0, 0)
    assert school.asked


def test_control_without_the_estimate_the_kernel_ends_a_process(
    school: _School, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(night_memory, "OCTETS_A_NAME", 0)
    monkeypatch.setattr(night_memory, "TEXT_OCTETS_A_NAME", 0)
    monkeypatch.setattr(process_memory, "child_octets", lambda _: 1 << 33)
    school.night(5_000_000)
    assert school.board.killed()
    assert school.unfiltered == 0
