# SPDX-License-Identifier: Apache-2.0
"""``filterd timetable import`` by a person at a terminal, and by a script."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

import pytest

from filterd.config.week_schema import TIMETABLE_FILE
from tests.support.commands import run
from tests.support.terminal import Terminal

if TYPE_CHECKING:
    from pathlib import Path

SITE = """\
school: {name: A}
language: en
classes: {1A: {grade: 1}, 12A: {grade: 12}}
networks:
  lan: {cidrs: [192.168.1.0/24], grade: 1}
  phong-may-1: {room: true, grade: 1, cidrs: [10.0.7.0/24]}
lessons: {tiet-1: 07:00-07:45, tiet-2: 07:50-08:35}
"""
GRID = "Thứ;Tiết;12A;1A\n2;1;Tin - cô Lan - {room};Toán - cô Lan\n"


@pytest.fixture
def site(tmp_path: Path) -> Path:
    (tmp_path / "site.yaml").write_text(SITE, encoding="utf-8")
    return tmp_path


def _words(site: Path, room: str) -> list[str]:
    table = site / "tkb.csv"
    table.write_text(GRID.format(room=room), encoding="utf-8")
    state = str(site / "state")
    return ["timetable", "import", str(table), "--config", str(site), "--state", state,
            "--lang", "en"]  # fmt: skip


def test_the_flat_network_of_a_school_is_not_opened_by_a_teacher_of_its_name(site: Path) -> None:
    done = run(*_words(site, "P. máy"), "--yes")
    assert done.code == 2
    (line,) = done.error_lines
    assert line.startswith(f"filterd: {site}/tkb.csv:2:3: 'P. máy' is not a room")
    assert not (site / TIMETABLE_FILE).exists()


def test_a_script_must_say_yes(site: Path) -> None:
    done = run(*_words(site, "PM1"))
    assert (done.code, "give --yes" in done.err) == (2, True)
    assert not (site / TIMETABLE_FILE).exists()
    assert run(*_words(site, "PM1"), "--yes").code == 0
    assert "phong-may-1:" in (site / TIMETABLE_FILE).read_text(encoding="utf-8")
    assert "lan:" not in (site / TIMETABLE_FILE).read_text(encoding="utf-8")


@pytest.mark.parametrize(("answer", "code"), [("n\r", 1), ("y\r", 0)])
def test_a_person_sees_what_each_network_will_have_and_answers(
    site: Path, answer: str, code: int
) -> None:
    terminal = Terminal([sys.executable, "-m", "filterd", *_words(site, "PM1")])
    terminal.press(answer, after="Write these timetables?")
    assert (terminal.code, (site / TIMETABLE_FILE).exists()) == (code, code == 0), terminal.text
    shown = " ".join(terminal.text.split())
    assert "phong-may-1 12A 1 (age 6) 12 (age 17) opens for older pupils" in shown


def test_control_a_network_that_is_declared_a_room_is_opened(site: Path) -> None:
    (site / "site.yaml").write_text(SITE.replace("lan: {", "lan: {room: true, "))
    assert run(*_words(site, "P. Lan"), "--yes").code == 0
    assert "lan:" in (site / TIMETABLE_FILE).read_text(encoding="utf-8")
