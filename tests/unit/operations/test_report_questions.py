# SPDX-License-Identifier: Apache-2.0
"""Answers that a person fills in."""

from __future__ import annotations

from typing import Any

import pytest

from filterd.base.errors import ConfigError
from filterd.operations.report_questions import LONGEST, checked_answers, to_fill_in
from filterd.texts.i18n import Texts


def test_numbers_and_texts_are_taken_and_empty_ones_left_out() -> None:
    given = {"pupils": 640, "training": " Hai buổi ", "sessions": None, "proposals": ""}
    assert checked_answers(given) == {"pupils": "640", "training": "Hai buổi"}


@pytest.mark.parametrize(
    ("given", "why"),
    [
        ({"pupil": 3}, "is not a question"),
        ({"pupils": "many"}, "a whole number is wanted"),
        ({"pupils": 1.25}, "a whole number is wanted"),
        ({"pupils": -1}, "a whole number is wanted"),
        ({"training": ["a"]}, "a text of at most"),
        ({"training": "x" * (LONGEST + 1)}, "a text of at most"),
    ],
)
def test_other_answers_are_refused(given: dict[str, Any], why: str) -> None:
    with pytest.raises(ConfigError, match=why):
        checked_answers(given)


def test_a_missing_answer_has_a_mark_in_its_place() -> None:
    assert to_fill_in("Tập huấn", Texts("vi")) == "[cần điền: Tập huấn]"
