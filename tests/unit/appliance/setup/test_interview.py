# SPDX-License-Identifier: Apache-2.0
"""A set-up between two questions, files of answers, and answers that are kept."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from filterd.appliance.setup.interview import (
    KEPT,
    Interview,
    KeptAnswers,
    Machine,
    PendingQuestion,
    SchoolLink,
    SetupQuestion,
    load_answers,
)
from filterd.base.errors import ConfigError
from filterd.texts.i18n import say

if TYPE_CHECKING:
    from pathlib import Path


def test_a_question_for_an_item_has_it_in_its_text_and_its_key() -> None:
    question = SetupQuestion("seat", say("Who is in {item}?"))
    one = PendingQuestion(question, "10.0.0.0/24", Interview(Machine()))
    assert (one.text, one.key) == ("Who is in 10.0.0.0/24?", "seat 10.0.0.0/24")


def test_the_youngest_are_of_the_classes_and_of_the_networks() -> None:
    interview = Interview(Machine(), answers={"classes": "9A, 7B", "seat 10.0.0.0/24": "6"})
    assert interview.classes == {"9A": "9", "7B": "7"}
    assert interview.youngest == "6"


def test_the_whole_lan_is_one_seat_where_it_was_answered_so() -> None:
    answers = {"classes": "7B", "networks": "10.0.0.0/24", "flat": "one-tier"}
    assert Interview(Machine(), answers=answers).seats == {"10.0.0.0/24": "7"}


def test_the_links_of_the_school_are_those_that_were_confirmed() -> None:
    links = (
        SchoolLink("fd00::/64", "lan0", "fd00::1"),
        SchoolLink("10.0.0.0/24", "lan0", "10.0.0.1"),
        SchoolLink("10.0.1.0/24", "lan1", "10.0.1.1"),
    )
    interview = Interview(Machine(links), answers={"networks": "fd00::/64, 10.0.0.0/24"})
    assert interview.links == links[1:2]


def test_a_range_in_which_the_machine_has_two_addresses_is_one_network() -> None:
    links = tuple(SchoolLink("10.0.0.0/24", "lan0", f"10.0.0.{n}") for n in (1, 254))
    assert Machine(links).networks == links[:1]


def test_answers_are_written_as_they_would_be_typed(tmp_path: Path) -> None:
    file = tmp_path / "answers.yaml"
    file.write_text(
        "school: Nguyễn Du\ncode: 0079\nclasses: [6A, 6E1, 12 Tin]\nseat 10.0.0.0/8: no\nroot:\n"
    )
    assert load_answers(file) == {
        "school": "Nguyễn Du",
        "code": "0079",
        "classes": "6A, 6E1, 12 Tin",
        "seat 10.0.0.0/8": "no",
        "root": "",
    }


@pytest.mark.parametrize("text", ["- a\n", "school: {name: A}\n", "school: [\n"])
def test_what_is_no_file_of_answers_is_refused_with_its_place(tmp_path: Path, text: str) -> None:
    file = tmp_path / "answers.yaml"
    file.write_text(text)
    with pytest.raises(ConfigError, match=r"answers\.yaml"):
        load_answers(file)
    with pytest.raises(ConfigError, match="none"):
        load_answers(tmp_path / "none")


def test_answers_are_kept_and_damaged_ones_are_none(tmp_path: Path) -> None:
    path = tmp_path / "setup.filterd"
    KEPT.save(path, KeptAnswers({"school": "Nguyễn Du"}))
    assert KEPT.read(path) == KeptAnswers({"school": "Nguyễn Du"})
    path.write_bytes(path.read_bytes()[:-9])
    assert KEPT.read(path) is None
