# SPDX-License-Identifier: Apache-2.0
"""Describe the explanation of a verdict, for answers that have one."""

from __future__ import annotations

from filterd.operations.answers import TEXT, maybe, of, record
from filterd.resolve.explanation import Explanation

_FOUND = of(Explanation)
_FIELDS = {key: one for key, one in _FOUND["properties"].items() if key != "class_id"}
EXPLANATION = record(
    {**_FIELDS, "class": maybe(TEXT)},
    [key for key in (*_FIELDS, "class") if key not in _FOUND["required"]],
)
"""It has ``class`` where the dataclass has ``class_id``."""
