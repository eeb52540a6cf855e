# SPDX-License-Identifier: Apache-2.0
"""The codes that reports store."""

from __future__ import annotations

import re

from filterd.lists.reject_reasons import Reason


def test_every_code_is_lower_case_words() -> None:
    assert all(re.fullmatch(r"[a-z]+(-[a-z]+)*", reason) for reason in Reason)


def test_every_explanation_continues_a_sentence() -> None:
    assert all(
        re.fullmatch(r"(is|has|asks|hides|maps|names|does|would) .*[^.]", reason.explanation)
        for reason in Reason
    )


def test_reason_is_found_by_its_code() -> None:
    assert Reason("single-label") is Reason.SINGLE_LABEL
