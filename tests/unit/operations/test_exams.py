# SPDX-License-Identifier: Apache-2.0
"""Exams are read."""

from __future__ import annotations

from filterd.operations.exams import ReadExams


def test_those_that_have_ended_are_asked_for_on_request_only() -> None:
    assert ReadExams.read({}).arguments == {}
    assert ReadExams.read({"all": True}).arguments == {"all": True}
