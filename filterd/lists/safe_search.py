# SPDX-License-Identifier: Apache-2.0
"""Names that have a twin which keeps to safe mode, whatever the person who asks has set."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Rewrite:
    """What is answered instead of a name's own addresses.

    ``setting`` and ``level`` say to whom: grades whose policy sets
    ``safe_search`` or ``youtube`` to that. ``names`` are those hosts and nothing
    beneath them; ``target`` is the name whose addresses they get.
    """

    setting: str
    level: str
    target: bytes
    names: tuple[bytes, ...]
