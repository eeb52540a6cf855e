# SPDX-License-Identifier: Apache-2.0
"""A name is checked for one grade or device; one thing is tried; a grade is set as a change."""

from __future__ import annotations

from typing import Any

import pytest

from filterd.base.errors import ConfigError, FilterdError
from filterd.operations.policy import (
    CheckName,
    CheckPast,
    CompareVersions,
    PreviewGrade,
    ReadPolicy,
    SetGrade,
    TryPolicy,
    past_of,
)

_SETTING = {"grade": "6", "target": "category:games", "opens": "on"}


def test_a_name_is_asked_for_with_a_type_and_a_time() -> None:
    asked = CheckName.read({"name": "a.vn", "type": "aaaa", "grade": "6A", "at": 7})
    sent = {"qname": "016102766e00", "qtype": 28, "grade": "6A", "at": 7.0}
    assert asked.arguments == sent
    assert CheckName.read_sent(sent) == asked
    nothing_more = {"grade": None, "client": None, "at": None}
    assert CheckName.read_sent({"qname": "00", "qtype": 1, **nothing_more}).at is None


def test_the_same_question_is_asked_of_the_past() -> None:
    asked = CheckName.read({"name": "a.vn", "client": "10.0.6.21"})
    past = past_of(asked, 7.0, "07:00")
    assert (past.question, past.client, past.shown) == (asked.question, asked.client, "07:00")
    assert CheckPast.read_sent(past.arguments) == past


def test_a_setting_of_a_grade_is_sent_as_a_change_and_previewed_as_it_is() -> None:
    how = {"grade": "6", "target_kind": "category", "target": "games", "opens": True}
    assert SetGrade.read(_SETTING).arguments == {**how, "kind": "grade", "reason": ""}
    preview = PreviewGrade.read(_SETTING)
    assert preview.arguments == {**_SETTING, "opens": True}
    assert preview.change == ("grade", how)


def test_days_and_the_wait_of_a_trial_have_bounds() -> None:
    asked = TryPolicy.read({"source": "urlhaus", "days": "3"})
    assert (asked.tried.source, asked.days, asked.within_s) == ("urlhaus", 3, 45)
    assert asked.arguments == {"source": "urlhaus", "days": 3}


@pytest.mark.parametrize(
    ("request_", "given"),
    [
        (CheckName, {}),
        (CheckName, {"name": "a.vn", "grade": "6", "client": "10.0.6.21"}),
        (CheckName, {"name": "a.vn", "type": "x"}),
        (CheckName, {"name": "a.vn", "class": "6A"}),
        (CompareVersions, {"version": "abc"}),
        (PreviewGrade, {**_SETTING, "target": "games"}),
        (PreviewGrade, {**_SETTING, "grade": "13"}),
        (SetGrade, {"grade": "6", "target": "category:games"}),
        (TryPolicy, {"source": "a", "days": 0}),
        (TryPolicy, {"source": "a", "days": 91}),
        (TryPolicy, {"source": "a", "within_s": 46}),
        (ReadPolicy, {"digest": "0" * 81}),
        (ReadPolicy, {"digest": 7}),
    ],
)
def test_what_makes_no_sense_is_refused(request_: Any, given: dict[str, Any]) -> None:
    with pytest.raises(FilterdError):
        request_.read(given)


@pytest.mark.parametrize(
    "sent",
    [
        {"qname": "zz", "qtype": 1},
        {"qname": 5, "qtype": 1},
        {"qname": "00", "qtype": "A"},
        {"qtype": 1},
        {"qname": "00", "at": "now"},
        {"qname": "00", "grade": 6},
    ],
)
def test_what_is_sent_for_a_check_has_bounds_too(sent: dict[str, Any]) -> None:
    with pytest.raises(ConfigError):
        CheckName.read_sent(sent)
