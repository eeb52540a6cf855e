# SPDX-License-Identifier: Apache-2.0
"""Read a class, a grade or a tier."""

from __future__ import annotations

from filterd.operations.parameters.scalar import Choice, Text
from filterd.policy.model import GRADES, TIERS

CLASS, GRADE, TIER = Text(32), Choice(GRADES), Choice(TIERS)
SEAT = Text(32, about="A grade or class")
