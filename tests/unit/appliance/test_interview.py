# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

from filterd.appliance.interview import (
    Interview,
    Machine,
    PendingQuestion,
    SchoolLink,
    SetupQuestion,
)
from filterd.i18n import say


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
