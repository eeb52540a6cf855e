# SPDX-License-Identifier: Apache-2.0
"""A mistake is reported by name."""

from __future__ import annotations

from typing import Any

import pytest

from filterd.base.errors import ConfigError
from filterd.operations.mistakes import ReportMistake


def test_a_mistake_is_reported_by_name() -> None:
    asked = ReportMistake.read({"name": "VNU.edu.vn.", "reason": "trường đại học"})
    assert asked.arguments == {
        "kind": "report-mistake",
        "name": "vnu.edu.vn",
        "reason": "trường đại học",
    }


@pytest.mark.parametrize(
    "given", [{"name": "a.example"}, {"reason": "x"}, {"name": "x..y", "reason": "x"}]
)
def test_what_is_wrong_is_refused(given: dict[str, Any]) -> None:
    with pytest.raises(ConfigError):
        ReportMistake.read(given)
