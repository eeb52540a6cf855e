# SPDX-License-Identifier: Apache-2.0
"""The end of a run of tests: what failed and why, what was not shown and how to show it."""

from __future__ import annotations

import json

import pytest

from tests.support.closing import MISSING, STARTED, Outcomes, nothing_shown

NFT, ROOT = "needs nft: sudo apt install nftables", "needs root: sudo make test"


def _outcomes(*records: tuple[str, str, str], lost: str = "") -> Outcomes:
    outcomes = Outcomes({lost: MISSING} if lost else {})
    outcomes.add("".join(f"{json.dumps(record)}\n" for record in records).encode())
    return outcomes


def test_skips_are_counted_by_reason_the_most_frequent_first() -> None:
    outcomes = _outcomes(
        ("skipped", "a::b", NFT), ("skipped", "a::c", ROOT), ("skipped", "a::d", ROOT)
    )
    assert outcomes.lines() == ["skipped, by reason:", f"       2 {ROOT}", f"       1 {NFT}"]


def test_failures_are_gathered_by_cause_with_their_names() -> None:
    outcomes = _outcomes(
        ("failed", "a::b", "assert 1 == 2"),
        ("passed", "a::c", ""),
        ("failed", "a::d", "assert 1 == 2"),
        ("failed", "a::e", "OSError"),
    )
    expected = ["failed, by cause:", "       2 assert 1 == 2", "         a::b", "         a::d"]
    assert outcomes.lines() == [*expected, "       1 OSError", "         a::e"]


def test_a_test_whose_process_ended_is_a_failure() -> None:
    outcomes = _outcomes((STARTED, "a::b", ""), lost="a::b")
    assert outcomes.failing == ["a::b"]
    assert outcomes.lines()[1:] == ["       1 its process ended", "         a::b"]


def test_what_a_test_writes_between_the_records_changes_none() -> None:
    outcomes = Outcomes({"a::b": MISSING})
    outcomes.add(b'[]\n5\n{"a": 1}\n\xff\n["passed", "a::b", ""]\n["pas')
    assert (outcomes.of, outcomes.counts) == ({"a::b": "passed"}, {"passed": 1})


def test_what_fails_after_its_test_passed_is_a_failure() -> None:
    outcomes = _outcomes(("passed", "a::b", ""), ("error", "a::b", "it ends badly"))
    assert outcomes.failing == ["a::b"]


def test_the_closing_line_says_how_much_less_was_shown_than_elsewhere() -> None:
    outcomes = _outcomes(
        ("passed", "a::b", ""), ("skipped", "a::c", ROOT), ("skipped", "a::d", NFT)
    )
    closing = outcomes.closing(61.0, 7.0, ["a::b passes alone"])
    assert closing == (
        "1 passed, 2 skipped in 61.00s (0:01:01), CPU 0:00:07; "
        "2 fewer than where all that they need is there; a::b passes alone"
    )


def test_where_nothing_was_skipped_the_closing_line_ends_with_the_time() -> None:
    assert _outcomes(("passed", "a::b", "")).closing(1.0, 0.0).endswith("CPU 0:00:00")


@pytest.mark.parametrize(("passed", "skipped", "wrong"), [(0, 3, True), (1, 3, False), (0, 0, 0)])
def test_a_run_that_skipped_all_has_shown_nothing(passed: int, skipped: int, wrong: bool) -> None:
    assert bool(nothing_shown(passed, skipped)) == wrong
