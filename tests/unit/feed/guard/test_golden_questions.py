# SPDX-License-Identifier: Apache-2.0
"""Questions whose answers the text of the lists gives, held against what is compiled."""

from __future__ import annotations

from itertools import pairwise
from typing import TYPE_CHECKING

import pytest

from filterd.feed.guard.golden_questions import QUESTIONS, questions, wrong_answers
from filterd.feed.guard.guard_report import Severity
from filterd.feed.guard.probe_clients import Asking
from filterd.lists.rules import ListSource
from tests.support.policies import (
    NOW,
    a_pin,
    a_policy,
    a_protection,
    allow,
    an_index,
    wire,
)

if TYPE_CHECKING:
    from pathlib import Path

    from filterd.feed.guard.golden_questions import GoldenQuestion
    from filterd.feed.guard.guard_report import Finding
    from filterd.lists.rules import Pin, Protection
    from filterd.policy.model import LocalRule


def a_list(folder: Path, *lines: str, form: str = "domains", list_id: str = "games") -> ListSource:
    path = folder / f"{list_id}.txt"
    path.write_text("".join(f"{line}\n" for line in lines), encoding="utf-8")
    return ListSource(list_id, "games", form, str(path))


def names_asked(*lists: ListSource) -> set[bytes]:
    return {question.name for question in questions(lists)}


def texts(*names: str) -> set[bytes]:
    return set(map(wire, names))


def test_an_entry_is_asked_for_itself_and_for_what_is_beneath_it(tmp_path: Path) -> None:
    asked = names_asked(a_list(tmp_path, "# none", "", "One.example  # one", "đố.example"))
    own = texts("one.example", "xn--fea643m.example")
    assert {name for name in asked if b"golden" not in name} == own
    assert {name for name in asked if b"golden" in name} == {b"\x06golden" + one for one in own}


def test_what_an_entry_does_not_mean_is_not_asked(tmp_path: Path) -> None:
    exact = a_list(tmp_path, "=one.example", form="wildcard")
    assert names_asked(exact) == texts("one.example")


def test_lists_that_are_not_plain_are_not_read(tmp_path: Path) -> None:
    assert names_asked(a_list(tmp_path, "||one.example^", form="adblock")) == set()


def test_lines_are_drawn_from_the_whole_of_a_list_and_of_each(tmp_path: Path) -> None:
    long = a_list(tmp_path, *(f"n{at:06}.example" for at in range(50_000)))
    short = a_list(tmp_path, "short.example", list_id="short")
    asked = sorted(name for name in names_asked(long, short) if b"golden" not in name)
    numbers = [int(name[2:8]) for name in asked if name[1:2] == b"n"]
    assert wire("short.example") in asked
    assert len(asked) >= QUESTIONS * 0.95
    steps = [after - before for before, after in pairwise(numbers)]
    assert numbers[0] == 0
    assert numbers[-1] > 49_900
    assert max(steps) < 70


def test_every_line_of_a_short_list_is_asked_for_once(tmp_path: Path) -> None:
    lines = [f"n{at}.example" for at in range(15)]
    asked = list(questions([a_list(tmp_path, *lines)]))
    assert {question.name for question in asked} >= texts(*lines)
    assert len(asked) == len(set(asked)) == 30


class World:
    """A list as its text says it, and an index that another text was compiled to."""

    def __init__(self, folder: Path, *lines: str) -> None:
        self._folder = folder
        self.asked: list[GoldenQuestion] = list(questions([a_list(folder, *lines)]))

    def judge(
        self,
        *lines: str,
        form: str = "domains",
        pins: tuple[Pin, ...] = (),
        protections: tuple[Protection, ...] = (),
        rules: tuple[LocalRule, ...] = (),
        more: tuple[str, ...] = (),
    ) -> list[Finding]:
        """Judge an index of these lines by what the text asks."""
        lists = {
            "games": ("games", form, False, list(lines)),
            "theirs": ("ads-trackers", "adblock", False, list(more)),
        }
        policy = a_policy(pins=pins, protections=protections, rules=rules, also_closed=["games"])
        asking = Asking(policy, an_index(self._folder, lists), NOW)
        return list(wrong_answers(asking, self.asked))


LINES = [f"n{at}.example" for at in range(200)]


def test_an_index_that_says_what_its_lists_say_is_right(tmp_path: Path) -> None:
    assert World(tmp_path, *LINES).judge(*LINES) == []


def test_a_name_that_the_index_has_lost_is_found(tmp_path: Path) -> None:
    [found] = World(tmp_path, *LINES).judge(*LINES[:-1])
    assert found.severity is Severity.REFUSED
    assert found.names == ("n199.example", "golden.n199.example")


def test_an_index_that_has_the_names_without_what_is_beneath_them_is_found(tmp_path: Path) -> None:
    [found] = World(tmp_path, *LINES).judge(*(f"={one}" for one in LINES), form="wildcard")
    assert found.numbers == {"asked": 400, "wrong": 200}


def test_an_index_that_closes_what_no_list_has_is_found(tmp_path: Path) -> None:
    [found] = World(tmp_path, *LINES).judge(*LINES, "filterd-golden.example")
    assert found.severity is Severity.REFUSED
    assert found.names[0] == "unlisted-0.filterd-golden.example"


@pytest.mark.parametrize(("count", "held"), [(4, 0), (5, 1)])
def test_only_a_few_names_may_be_overruled_by_the_version_itself(
    tmp_path: Path, count: int, held: int
) -> None:
    protections = tuple(a_protection(one) for one in LINES[:count])
    found = World(tmp_path, *LINES).judge(*LINES, protections=protections)
    assert len(found) == held
    assert all(one.severity is Severity.HELD for one in found)
    pins = tuple(a_pin(one, subtree=True) for one in LINES[:count])
    assert len(World(tmp_path, *LINES).judge(*LINES, pins=pins)) == held


def test_what_a_school_has_opened_itself_is_no_fault_of_the_version(tmp_path: Path) -> None:
    rules = tuple(allow(one) for one in LINES[:100])
    assert World(tmp_path, *LINES).judge(*LINES, rules=rules) == []


def test_a_name_of_255_octets_has_nothing_beneath_it(tmp_path: Path) -> None:
    longest = ".".join(["a" * 63, "b" * 63, "c" * 63, "d" * 53, "example"])
    world = World(tmp_path, longest)
    assert [len(question.name) for question in world.asked] == [255]
    assert world.judge(longest) == []
