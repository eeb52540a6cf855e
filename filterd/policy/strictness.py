# SPDX-License-Identifier: Apache-2.0
"""Which of several grades sees least. Pure."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable

    from filterd.policy.model import GradePolicy


def strictest(grades: Iterable[GradePolicy]) -> GradePolicy:
    """Return the one with the most closed categories; of equals the youngest, then the first.

    One to which everything is closed that is not allowed has more closed than any other.
    """
    return max(grades, key=lambda grade: (grade.allow_only, len(grade.closed), -grade.age))
