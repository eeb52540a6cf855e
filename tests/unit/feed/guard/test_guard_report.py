# SPDX-License-Identifier: Apache-2.0
"""A judgement, and how one process tells it to another that does not believe it."""

from __future__ import annotations

import json
from typing import Any

import pytest

from filterd.feed.guard.guard_report import (
    MAX_FINDINGS,
    MAX_NAMES,
    MAX_OCTETS,
    Finding,
    Judgement,
    Severity,
    dump,
    found,
    load,
)
from filterd.i18n import say, translated

DIGEST = "ab" * 32


def a_finding(severity: Severity, kind: str = "growth", why: str = "why") -> Finding:
    sentence = say("it could not be loaded: {why}", why=why)
    return found(kind, severity, sentence, ["a.example"], count=3, part=0.5)


def judgement(*severities: Severity, kind: str = "growth") -> Judgement:
    findings = tuple(a_finding(one, kind) for one in severities)
    return Judgement("7", findings, DIGEST, ("files", "golden"), 1.5, 1 << 20)


@pytest.mark.parametrize(
    ("severities", "by_itself", "approved"),
    [
        ([], True, True),
        ([Severity.NOTE], True, True),
        ([Severity.HELD, Severity.NOTE], False, True),
        ([Severity.NOTE, Severity.REFUSED, Severity.HELD], False, False),
    ],
)
def test_the_worst_finding_says_whether_it_may_come(
    severities: list[Severity], by_itself: bool, approved: bool
) -> None:
    judged = judgement(*severities)
    assert judged.may_come_in_force() is by_itself
    assert judged.may_come_in_force(approved=True) is approved


@pytest.mark.parametrize(
    ("severity", "kind", "final"),
    [
        (Severity.REFUSED, "loading", True),
        (Severity.REFUSED, "school", False),
        (Severity.REFUSED, "expectations", False),
        (Severity.HELD, "growth", False),
    ],
)
def test_only_what_is_wrong_with_the_version_itself_is_final(
    severity: Severity, kind: str, final: bool
) -> None:
    assert judgement(severity, kind=kind).is_final is final


def test_a_held_version_says_how_it_is_approved_and_a_refused_one_does_not() -> None:
    held = str(judgement(Severity.HELD, Severity.HELD).error())
    assert "`filterd feed approve 7`" in held
    assert "(and 1 more)" in held
    refused = str(judgement(Severity.REFUSED, Severity.HELD).error())
    assert "approve" not in refused
    assert "more)" not in refused


def test_the_error_is_told_in_vietnamese() -> None:
    error = judgement(Severity.HELD).error()
    assert error.translated("vi").startswith("phiên bản 7 của nguồn danh sách bị giữ lại")


def test_what_is_told_is_what_was_found() -> None:
    judged = judgement(Severity.HELD, Severity.NOTE)
    heard = load(dump(judged))
    assert heard == judged
    assert translated(heard.findings[0].sentence, "vi") == "không nạp được: why"


def test_names_and_texts_are_bounded_before_they_are_told() -> None:
    sentence = say("it could not be loaded: {why}", why="x" * 100_000)
    one = found("golden", Severity.HELD, sentence, [f"{'n' * 400}{at}" for at in range(99)])
    assert len(one.names) == MAX_NAMES
    octets = dump(Judgement("1", (one,) * MAX_FINDINGS, DIGEST))
    assert len(octets) <= MAX_OCTETS * 4
    assert max(len(name) for name in json.loads(octets)["findings"][0]["names"]) == 260


def test_of_very_many_findings_the_worst_are_told_and_in_their_order() -> None:
    notes = [a_finding(Severity.NOTE, why=str(at)) for at in range(MAX_FINDINGS + 5)]
    worst = a_finding(Severity.REFUSED, why="the one")
    heard = load(dump(Judgement("1", (*notes, worst), DIGEST)))
    assert len(heard.findings) == MAX_FINDINGS
    assert heard.findings == (*notes[: MAX_FINDINGS - 1], worst)


GOOD: dict[str, Any] = json.loads(dump(judgement(Severity.HELD)))
FINDING: dict[str, Any] = GOOD["findings"][0]
NO_JUDGEMENTS: dict[str, bytes] = {
    "nothing": b"",
    "no JSON": b"{",
    "a list": b"[]",
    "a number": b"7",
    "very deep": b"[" * 100_000,
    "too much": json.dumps({**GOOD, "more": "x" * MAX_OCTETS}).encode(),
    **{
        f"without {key}": json.dumps({k: v for k, v in GOOD.items() if k != key}).encode()
        for key in GOOD
    },
    **{
        f"a finding without {key}": json.dumps(
            {**GOOD, "findings": [{k: v for k, v in FINDING.items() if k != key}]}
        ).encode()
        for key in FINDING
    },
    **{
        f"{key} as {value!r}": json.dumps({**GOOD, key: value}).encode()
        for key, value in [
            ("version", [7]),
            ("version", True),
            ("version", 7.0),
            ("index", "ab"),
            ("index", None),
            ("checks", "files"),
            ("checks", [1]),
            ("seconds", "long"),
            ("seconds", None),
            ("peak_octets", 1.5),
            ("findings", {}),
            ("findings", [None]),
        ]
    },
    **{
        f"a finding with {key} as {str(value)[:20]}": json.dumps(
            {**GOOD, "findings": [{**FINDING, key: value}]}
        ).encode()
        for key, value in [
            ("severity", "grave"),
            ("severity", None),
            ("kind", 1),
            ("names", 5),
            ("names", [5]),
            ("numbers", [1]),
            ("numbers", {"count": "many"}),
            ("numbers", {"count": [1]}),
            ("sentence", 5),
            ("sentence", ["x" * 5_000, {}]),
            ("sentence", ["{a}" * 500, {"a": "x" * 100}]),
        ]
    },
    "too many findings": json.dumps({**GOOD, "findings": [FINDING] * (MAX_FINDINGS + 1)}).encode(),
}


@pytest.mark.parametrize("said", NO_JUDGEMENTS)
def test_what_is_no_judgement_is_not_believed(said: str) -> None:
    with pytest.raises(ValueError, match=r"judgement|sentence|Expecting|Severity|float"):
        load(NO_JUDGEMENTS[said])


@pytest.mark.parametrize("number", ["NaN", "Infinity", "-Infinity", "1e999", "9" * 400])
def test_numbers_that_are_none_are_not_believed(number: str) -> None:
    octets = json.dumps({**GOOD, "findings": [{**FINDING, "numbers": {"count": 0.125}}]}).encode()
    assert load(octets).findings[0].numbers == {"count": 0.125}
    for true in (b"0.125", b"1.5"):  # a number of a finding, and the seconds
        with pytest.raises(ValueError, match="judgement"):
            load(octets.replace(true, number.encode()))
