# SPDX-License-Identifier: Apache-2.0
"""Names that lists must leave alone: pins, which nothing blocks, and protections.

Both are read twice: by the compiler, which refuses or sets aside the entries
that name them, and by policy, because an entry for a *parent* of such a name is
honest and must still not take the name with it.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Pin:
    """A name that nothing may block. ``subtree``: everything beneath it too."""

    name: bytes
    subtree: bool = False
    reason: str = ""


@dataclass(frozen=True, slots=True)
class Protection:
    """A name that third-party lists may not block, an urgent order may.

    ``except_categories``: lists of these categories may name it all the same;
    a chat service is no scam, and still social media. ``entry_only``: it holds only
    against entries that give exactly this name, which somebody has suspended.
    """

    name: bytes
    subtree: bool = True
    reason: str = ""
    except_categories: frozenset[str] = frozenset()
    entry_only: bool = False
