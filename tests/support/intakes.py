# SPDX-License-Identifier: Apache-2.0
"""Parsed lists, for tests of the later steps."""

from __future__ import annotations

import io
from typing import TYPE_CHECKING

from filterd.lists.intake import Intake

if TYPE_CHECKING:
    from filterd.lists.rules import ListSource


def taken(*sources: ListSource) -> tuple[Intake, str]:
    """Parse lists; return the result, and the reports of refused lines."""
    problems = io.StringIO()
    intake = Intake(sources, problems)
    for _ in sources:
        intake.take(lambda _done: None)
    return intake, problems.getvalue()
