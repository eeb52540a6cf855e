# SPDX-License-Identifier: Apache-2.0
"""Describe the answer to a change, and rows of the history."""

from __future__ import annotations

from typing import Any

from filterd.operations.answers import (
    ANY,
    AT,
    NUMBER,
    OBJECT,
    TEXT,
    WHOLE,
    each,
    maybe,
    record,
    rows,
)
from filterd.operations.parameters.scalar import Whole

NUMBER_OF_CHANGE = Whole(1, about="The number of a change")
HISTORY_ROW = record(
    {
        "number": WHOLE,
        "at": AT,
        **each(TEXT, "author", "kind", "reason", "hash"),
        **each(OBJECT, "payload", "before", "after"),
    }
)
CHANGE = record(
    {
        "number": maybe({**WHOLE, "description": "Of the change; null where nothing was changed"}),
        "until": maybe(AT),
        "undone": maybe(WHOLE),
        "taken_back": maybe(HISTORY_ROW),
        "in_force_ms": NUMBER,
        "warnings": rows(ANY),
        "row": HISTORY_ROW,
        "room": TEXT,
    },
    ("until", "undone", "taken_back", "in_force_ms", "row", "room"),
)
NOTHING_CHANGED: dict[str, Any] = {"number": None, "warnings": []}
