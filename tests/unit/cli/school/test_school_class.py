# SPDX-License-Identifier: Apache-2.0
"""``filterd class``, and where a class is understood in the place of a grade."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

from tests.support.commands import call
from tests.support.daemon import write_site
from tests.support.fake_daemon import LESSON_ENDS, ROOM

if TYPE_CHECKING:
    from pathlib import Path

    from filterd.base.state_folder import StateFolder
    from tests.support.fake_daemon import FakeDaemon

CLASSES = """\
  p-101: {cidrs: [10.0.41.0/24], class: 6A}
classes:
  6A: {grade: 6, teachers: [lan]}
  9/3: {grade: 9, teachers: [hoa, minh]}
"""


@pytest.fixture(scope="module")
def site_of_classes(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A school with classes, one of which is in the room now."""
    rooms, lessons = ROOM.replace("tiet-2: 6", "tiet-2: {class: 6A, teacher: lan}").split(
        "lessons:"
    )
    more = f"{rooms}{CLASSES}lessons:{lessons}"
    return write_site(tmp_path_factory.mktemp("classes"), port=5353, more=more)


@pytest.fixture
def classed(site_of_classes: Path, quiet: StateFolder) -> list[str]:
    """The options that name that school."""
    return ["--config", str(site_of_classes), "--state", str(quiet.folder), "--lang", "en"]


def test_classes_are_listed_with_teachers_and_where_they_sit(
    classed: list[str], daemon: FakeDaemon
) -> None:
    shown = call("class", "list", *classed)
    assert max(map(len, shown.out.splitlines())) <= 80
    rows = [line.split() for line in shown.out.splitlines()]
    assert ["6A", "6", "lan", "p-101", "lab-a"] in rows
    assert ["9/3", "9", "hoa,", "minh"] in rows
    assert daemon.commands()


def test_a_class_is_lent_and_shown_with_its_lessons(classed: list[str], daemon: FakeDaemon) -> None:
    lent = call("class", "lend", "6A", "--to", "minh", "--until", "17:00", *classed)
    assert lent.code == 0, lent.err
    assert "Change 1: class 6A is lent to minh until 17:00" in lent.out
    assert daemon.asked[-1][1]["class_id"] == "6A"
    call("allow", "a.example", "--class", "6A", "--for", "45m", "--reason", "bài học", *classed)
    (row,) = (line for line in call("class", "list", *classed).out.splitlines() if " 6A " in line)
    assert row.rstrip().endswith("minh until 17:00")
    shown = call("class", "show", "6A", *classed).out
    for words in (
        "Mon tiet-2: lab-a, lan",
        "p-101",
        "lent to minh",
        "allow a.example for class 6A",
    ):
        assert words in shown
    printed = json.loads(call("class", "show", "6A", "--json", *classed).out)
    assert (printed["class"], printed["grade"], printed["sits_in"]) == ("6A", "6", ["lab-a"])
    assert [one["to"] for one in printed["loans"]] == ["minh"]
    call("undo", *classed)
    call("undo", "1", *classed)
    assert json.loads(call("class", "show", "6A", "--json", *classed).out)["loans"] == []


@pytest.mark.parametrize("words", [("--class", "6A"), ("--grade", "6A")])
def test_a_class_is_understood_where_a_grade_is(
    classed: list[str], daemon: FakeDaemon, words: tuple[str, str]
) -> None:
    done = call("allow", "a.example", *words, "--lesson", "--reason", "bài học", *classed)
    assert "allow a.example for class 6A until 08:35" in done.out
    set_ = call("room", "set", "lab-a", *words, "--lesson", *classed)
    assert "room lab-a has class 6A until 08:35" in set_.out
    printed = json.loads(call("room", "show", "lab-a", "--json", *classed).out)
    assert (printed["grade"], printed["class"], printed["until"]) == ("6", "6A", LESSON_ENDS)
    checked = json.loads(call("check", "a.example", *words, "--offline", "--json", *classed).out)
    assert (checked["class"], checked["grade"], checked["tier"]) == ("6A", "6", "lower-secondary")
    assert checked["reason"] == "local"
    assert json.loads(call("policy", "show", *words, "--json", *classed).out)["class"] == "6A"
    assert daemon.commands()


def test_a_rule_of_a_class_is_not_for_its_grade(classed: list[str], daemon: FakeDaemon) -> None:
    call("allow", "a.example", "--class", "6A", "--for", "45m", "--reason", "bài học", *classed)
    other = json.loads(
        call("check", "a.example", "--grade", "6", "--offline", "--json", *classed).out
    )
    assert other["reason"] == "not-listed"
    assert daemon.commands()


@pytest.mark.parametrize(
    ("words", "problem"),
    [
        ("class show 6Z", "'6Z' is not a class of this site (known: 6A, 9/3)"),
        ("class show 6", "'6' is not a class"),
        ("check a.example --offline --class 6Z", "'6Z' is not a class of this site"),
        ("check a.example --class 6A --grade 6", "--grade and --class exclude each other"),
        ("room set lab-a --for 5m", "--grade or --class is missing"),
        ("allow a.example --grade foo --for 5m --reason abc", "'foo' is not a grade"),
        ("class lend 6A --to a:b --for 1h", "the substitute: 'a:b' is not a user name"),
    ],
)
def test_what_is_no_class_is_refused_in_one_line(
    classed: list[str], daemon: FakeDaemon, words: str, problem: str
) -> None:
    done = call(*words.split(), *classed)
    assert done.code == 2
    (line,) = done.error_lines
    assert problem in line
    assert daemon is not None
