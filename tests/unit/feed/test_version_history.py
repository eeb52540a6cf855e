# SPDX-License-Identifier: Apache-2.0
"""What became of versions stays told."""

from __future__ import annotations

from typing import TYPE_CHECKING

from filterd.feed.version_history import MOST, Event, History, Line
from filterd.i18n import say

if TYPE_CHECKING:
    from pathlib import Path


def test_events_are_told_in_their_order_with_their_reasons(tmp_path: Path) -> None:
    lines = [
        Line(1.0, Event.ACTIVATED, "12"),
        Line(2.0, Event.ROLLED_BACK, "13", say("{name} is not blocked", name="a.example")),
    ]
    for line in lines:
        History(tmp_path).add(line)
    assert History(tmp_path).lines() == lines
    assert History(tmp_path).lines()[1].why.template == "{name} is not blocked"


def test_nights_that_fail_alike_are_one_line_with_the_last_time(tmp_path: Path) -> None:
    history = History(tmp_path)
    for at in (1.0, 2.0, 3.0):
        history.add(Line(at, Event.FAILED, "12", say("nothing came")))
    assert history.lines() == [Line(3.0, Event.FAILED, "12", say("nothing came"))]


def test_the_last_few_hundred_are_kept(tmp_path: Path) -> None:
    history = History(tmp_path)
    for number in range(MOST + 5):
        history.add(Line(float(number), Event.ACTIVATED, str(number)))
    kept = history.lines()
    assert (len(kept), kept[-1].version) == (MOST, str(MOST + 4))


def test_a_damaged_line_is_left_out(tmp_path: Path) -> None:
    history = History(tmp_path)
    history.add(Line(1.0, Event.ACTIVATED, "12"))
    with (tmp_path / "history.jsonl").open("ab") as file:
        file.write(b'{"at": 2\n\xff\n')
    history.add(Line(3.0, Event.HELD, "13"))
    assert [line.version for line in history.lines()] == ["12", "13"]


def test_a_disk_that_takes_nothing_stops_nobody(tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(b"")
    history = History(tmp_path / "file")
    history.add(Line(1.0, Event.ACTIVATED, "12"))
    assert history.lines() == []
