# SPDX-License-Identifier: Apache-2.0
"""The words of a decision: stable for scripts, in the order of rules."""

from __future__ import annotations

import pytest

from filterd.policy.verdict import PASSED, REASON, Action, Match, Rule, Verdict
from filterd.resolve.special_use import SpecialReason


def test_rules_are_numbered_in_the_order_of_the_design() -> None:
    labels = [rule.label for rule in sorted(Rule)]
    assert labels == [
        "pin",
        "ordered",
        "protected",
        "locked",
        "local",
        "list-exception",
        "category",
        "open",
        "allow-only",
    ]


def test_actions_have_the_words_that_files_and_scripts_know() -> None:
    assert [*Action] == ["pass", "nxdomain", "nodata", "sinkhole", "rewrite", "refuse"]


@pytest.mark.parametrize("action", Action)
def test_everything_but_a_pass_and_a_twin_keeps_the_client_from_the_name(action: Action) -> None:
    assert Verdict(action).blocked is (action not in (Action.PASS, Action.REWRITE))


def test_a_name_without_a_rule_passes_for_ever() -> None:
    assert Verdict(Action.PASS) == PASSED
    assert not PASSED.blocked


class Read:
    """An entry that was read from a list."""

    name, line, entry = b"\1a\0", 7, "*.a"


def test_a_match_of_a_list_has_the_fields_of_its_entry() -> None:
    match = Match(Rule.CATEGORY, True, Read())
    assert (match.name, match.line, match.entry) == (b"\1a\0", 7, "*.a")


def test_a_match_of_the_site_s_own_stands_in_no_list() -> None:
    match = Match(Rule.PIN, False, b"\1a\0")
    assert (match.name, match.line, match.entry) == (b"\1a\0", 0, "")


def test_every_reason_has_words_for_people() -> None:
    labels = {str(one) for one in (*(rule.label for rule in Rule), *SpecialReason)}
    assert labels | {"alias", "local-zone", "lease", "not-listed"} <= REASON.keys()
