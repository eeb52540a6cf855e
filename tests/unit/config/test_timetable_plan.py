# SPDX-License-Identifier: Apache-2.0
"""No network gets a class that no cell names for it, whatever rooms and teachers are called."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from hypothesis import given
from hypothesis import strategies as st

from filterd.base.errors import ConfigError, ConfigErrors
from filterd.base.paths import shipped
from filterd.config import timetable_words
from filterd.config.compile_run import compile_in_memory
from filterd.config.timetable_plan import plan
from filterd.config.timetable_rows import parse
from filterd.config.timetable_words import SchoolWords
from filterd.policy.model import Lesson, Network, SchoolClass
from tests.support.week import timetabled, with_classes

if TYPE_CHECKING:
    from pathlib import Path

    import pytest

    from filterd.policy.model import Policy

MEANT = {
    "P. Lan": {"lan", "phong-lan"},
    "Phòng Lan": {"lan", "phong-lan"},
    "PM1": {"phong-may-1"},
    "P. máy 1": {"phong-may-1"},
    "phòng máy 01": {"phong-may-1"},
    "Lab A": {"lab-a"},
    "phong-lan": {"phong-lan"},
    "thu-vien": {"thu-vien"},
    "PM9": set[str](),
    "P. máy": set[str](),
}
"""What the part of a cell that names a room may mean."""
NETWORKS = "lan", "mai", "phong-lan", "phong-may-1", "lab-a", "thu-vien", "staff-lan", "tin"
SUBJECTS = "Tin", "Tin học", "Lan man", "Văn", "Lab", "T. Anh"
TEACHERS = (
    "", "cô Lan", "thầy Phong Lan", "cô Mai", "lan", "Cô Tin", "C. Lan", "hoa",
    "thầy Nguyễn P. Lan", "cô Thu Vien", "Mr. Lan",
)  # fmt: skip
BETWEEN = " - ", "\n", " / ", ", "
CLASSES = "6A", "6B", "9B"
cells = st.tuples(
    st.sampled_from(SUBJECTS),
    st.sampled_from(TEACHERS),
    st.sampled_from(["", *MEANT]),
    st.sampled_from(BETWEEN),
)
rows = st.lists(cells, min_size=3, max_size=3)
Cell = tuple[str, str, str, str]


def _text(cell: Cell) -> str:
    *parts, between = cell
    return between.join(filter(None, parts))


def _school() -> Policy:
    lessons = (Lesson("tiet-1", 25_200, 27_900), Lesson("tiet-2", 28_200, 30_900))
    policy = replace(with_classes(timetabled("6A", "9B")), lessons=lessons)
    return replace(policy, networks=tuple(Network(one, "1", room=True) for one in NETWORKS))


SCHOOL = _school()


def _given(table: list[list[Cell]], rooms: set[str]) -> tuple[set[tuple[str, str, str]], bool]:
    """Return (network, lesson, class) as the import gives them, and whether it refused."""
    text = [["Thứ", "Tiết", *CLASSES]]
    text += [["2", str(at), *map(_text, row)] for at, row in enumerate(table, 1)]
    try:
        networks, _ = parse(text, "tkb.csv", SCHOOL, rooms)
    except (ConfigError, ConfigErrors):
        return set(), True
    return {(n.id, one.lesson, one.grade) for n in networks for one in n.timetable}, False


def _named(table: list[list[Cell]], rooms: set[str]) -> set[tuple[str, str, str]]:
    """Return what the cells name, by how they were made."""
    return {
        (room, f"tiet-{at}", class_)
        for at, row in enumerate(table, 1)
        for class_, cell in zip(CLASSES, row, strict=True)
        for room in MEANT.get(cell[2], set()) & rooms
    }


@given(st.lists(rows, min_size=1, max_size=2), st.sets(st.sampled_from(NETWORKS)))
def test_no_network_gets_a_class_that_no_cell_names_for_it(
    table: list[list[Cell]], rooms: set[str]
) -> None:
    found, is_refused = _given(table, rooms)
    named = _named(table, rooms)
    assert found <= named
    assert is_refused or found == named


@given(cells, st.sets(st.sampled_from(NETWORKS)))
def test_a_room_that_is_not_declared_or_is_one_of_two_is_refused(
    cell: Cell, rooms: set[str]
) -> None:
    meant = MEANT.get(cell[2])
    if cell[2] != "thu-vien" and meant is not None and len(meant & rooms) != 1:
        is_exact = "phong-lan" in rooms and cell[2] == "phong-lan"
        assert is_exact or _given([[cell] * 3], rooms)[1]


@given(st.lists(cells, min_size=1, max_size=4), st.sets(st.sampled_from(NETWORKS), min_size=1))
def test_no_teacher_is_taken_for_a_class_in_the_column_of_a_room(
    column: list[Cell], rooms: set[str]
) -> None:
    flowers = tuple(SchoolClass(one, "1") for one in ("Lan", "Mai", "Tin học"))
    policies = {flower.id: replace(SCHOOL.grades["1"], class_id=flower.id) for flower in flowers}
    school = replace(SCHOOL, classes=(*SCHOOL.classes, *flowers), grades=SCHOOL.grades | policies)
    words = SchoolWords(school, rooms)
    for _, teacher, _, between in column:
        if teacher:
            assert words.class_in(f"9B{between}{teacher}") == "9B"


ISSUE: list[list[Cell]] = [[("Tin", "cô Lan", "P. máy", " - ")] * 3]


def test_the_name_of_a_teacher_opens_no_network_of_that_name() -> None:
    found, is_refused = _given(ISSUE, {"lan"})
    assert (found, is_refused) == (set(), True)


def test_control_a_search_of_the_whole_cell_is_noticed(monkeypatch: pytest.MonkeyPatch) -> None:
    def searched(_: SchoolWords, text: str) -> str | None:
        folded = timetable_words.folded(text).split()
        return next((one for one in NETWORKS if one in folded), None)

    monkeypatch.setattr(SchoolWords, "room_in", searched)
    table = [[("Tin", "cô Lan", "PM1", " - "), *[("Văn", "", "", " - ")] * 2]]
    rooms = {"lan", "phong-may-1"}
    found, _ = _given(table, rooms)
    assert not found <= _named(table, rooms)


FLAT = """\
school: {name: A}
classes: {1A: {grade: 1}, 12A: {grade: 12}}
networks:
  lan: {cidrs: [192.168.1.0/24], grade: 1}
  phong-may: {room: true, grade: 1, cidrs: [10.0.7.0/24]}
lessons: {tiet-1: 07:00-07:45}
"""
GRID = [["Thứ", "Tiết", "12A", "1A"], ["2", "1", "Tin - cô Lan - P. máy", "Toán - cô Lan"]]


def test_a_flat_network_keeps_its_youngest_and_the_room_is_shown(tmp_path: Path) -> None:
    (tmp_path / "site.yaml").write_text(FLAT, encoding="utf-8")
    policy = compile_in_memory(tmp_path, shipped("blocklists"))
    made = plan(GRID, "tkb.csv", tmp_path, policy)
    assert [network.id for network in made.networks] == ["phong-may"]
    assert made.left_out == ("Toán - cô Lan",)
    (row,) = made.changes
    assert row == {
        "network": "phong-may",
        "classes": ["12A"],
        "youngest_before": "1",
        "age_before": 6,
        "youngest_after": "12",
        "age_after": 17,
        "is_older": True,
    }
