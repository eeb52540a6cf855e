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


def test_the_address_of_the_box_is_an_ipv4_address_of_the_schools_side() -> None:
    links = (
        SchoolLink("fd00::/64", "lan0", "fd00::1"),
        SchoolLink("10.0.0.0/8", "lan0", "10.0.0.1"),
    )
    assert Machine(links).own_address == "10.0.0.1"
    assert Machine().own_address == ""
