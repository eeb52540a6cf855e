# SPDX-License-Identifier: Apache-2.0
"""A table that is pasted from a spreadsheet becomes edits of rooms, or errors with places."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from filterd.base.errors import ConfigError
from filterd.base.paths import shipped
from filterd.config.pasted_timetable import edits_of_table

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = pytest.mark.usefixtures("warm_children")

SITE = """\
school: {name: A}
classes: {6A: {grade: 6}}
networks: {lab-a: {room: true, grade: 6, cidrs: [10.0.7.0/24]}}
lessons: {tiet-1: 07:00-07:45, tiet-2: 07:50-08:35}
"""
TABLE = "day\tlesson\troom\tclass\tteacher\nt2\ttiet-1\tlab-a\t6A\tlan\nt3\ttiet-2\tlab-a\t7\t\n"


@pytest.fixture
def config(tmp_path: Path) -> Path:
    (tmp_path / "site.yaml").write_text(SITE)
    return tmp_path


def test_rooms_get_the_lessons_of_the_table(config: Path) -> None:
    answer = edits_of_table(config, shipped("blocklists"), TABLE)
    (edit,), (change,) = answer["edits"], answer["changes"]
    assert edit["path"] == ["networks", "lab-a", "timetable"]
    first = {"tiet-1": {"class": "6A", "teacher": "lan"}}
    assert edit["value"] == {"t2": first, "t3": {"tiet-2": 7}}
    assert (change["network"], change["classes"]) == ("lab-a", ["6A", "7"])


def test_a_network_that_is_no_room_gets_no_timetable(config: Path) -> None:
    (config / "site.yaml").write_text(SITE.replace("room: true, ", ""))
    with pytest.raises(ConfigError, match=r"table:2:3: 'lab-a' is not a room"):
        edits_of_table(config, shipped("blocklists"), TABLE)


def test_what_is_wrong_has_its_row_and_column(config: Path) -> None:
    with pytest.raises(ConfigError, match="table:2:4"):
        edits_of_table(config, shipped("blocklists"), TABLE.replace("6A", "9Z"))


def test_an_imported_room_is_not_set_in_two_files(config: Path) -> None:
    (config / "timetable.yaml").write_text("lab-a: {t2: {tiet-1: 6A}}\n")
    with pytest.raises(ConfigError, match=r"timetable\.yaml"):
        edits_of_table(config, shipped("blocklists"), TABLE)
