# SPDX-License-Identifier: Apache-2.0
"""Write tables as CSV (RFC 4180), and cells that are no formula."""

from __future__ import annotations

import csv
import io
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

_FORMULA_BEGINS = ("=", "+", "-", "@", "\t", "\r", "'")
"""The last is what a guarded cell begins with: so different cells stay different."""


def to_csv(table: Iterable[Sequence[object]]) -> bytes:
    """Return rows as CSV in UTF-8."""
    text = io.StringIO()
    csv.writer(text).writerows(table)
    return text.getvalue().encode()


def guarded(cell: str) -> str:
    """Return a cell that no spreadsheet takes for a formula."""
    return f"'{cell}" if cell.startswith(_FORMULA_BEGINS) else cell
