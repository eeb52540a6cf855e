# SPDX-License-Identifier: Apache-2.0
"""Describe the explanation of a verdict, for answers that have one."""

from __future__ import annotations

from typing import TYPE_CHECKING

from filterd.operations.answers import TEXT, maybe, of, record
from filterd.resolve.explanation import Explanation

if TYPE_CHECKING:
    from filterd.operations.parameters.scalar import Schema


def explanation() -> Schema:
    """Return its schema; it has ``class`` where the dataclass has ``class_id``."""
    schema = of(Explanation)
    known = {key: one for key, one in schema["properties"].items() if key != "class_id"}
    optional = [key for key in (*known, "class") if key not in schema["required"]]
    return record({**known, "class": maybe(TEXT)}, optional)
