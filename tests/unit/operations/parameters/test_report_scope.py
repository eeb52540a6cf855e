# SPDX-License-Identifier: Apache-2.0
"""A report for a class or a grade is for inside."""

from __future__ import annotations

from typing import Any

import pytest

from filterd.base.errors import ConfigError
from filterd.operations.parameters.report_scope import ReportScope, ReportScopeField
from filterd.operations.parameters.scalar import Fields
from filterd.policy.reporting_settings import ReportAudience

FIELD = ReportScopeField()
INSIDE, OUTSIDE = ReportAudience.INSIDE, ReportAudience.OUTSIDE


def read(**given: Any) -> ReportScope:
    return FIELD.take(Fields(FIELD.named).read(given))


def test_it_is_for_outside_where_nothing_is_said() -> None:
    assert read() == ReportScope(OUTSIDE)


@pytest.mark.parametrize(
    ("whom", "scope"),
    [
        ("class:6A", ReportScope(INSIDE, class_id="6A")),
        ("grade:6", ReportScope(INSIDE, grade="6")),
    ],
)
def test_one_of_a_class_or_grade_is_for_inside_and_the_socket_has_it(
    whom: str, scope: ReportScope
) -> None:
    assert read(whom=whom, audience="outside") == scope
    sent = Fields(FIELD.sent).read(FIELD.arguments(scope))
    assert FIELD.take(sent) == scope


def test_one_for_parents_is_of_the_whole_school() -> None:
    with pytest.raises(ConfigError, match="the whole school"):
        read(whom="class:6A", audience="parents")
