# SPDX-License-Identifier: Apache-2.0
r"""Makers of network cards, from the IEEE's table.

The table is there where the package ``ieee-data`` is installed.

filterd has no table of its own. A line of the table that is read::

    00-00-5E   (hex)\t\tICANN, IANA Department

A MAC that the device made itself has no maker.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from filterd.clients.leases import is_random
from filterd.paths import open_plain

if TYPE_CHECKING:
    from collections.abc import Iterable

TABLE = Path("/usr/share/ieee-data/oui.txt")
_LARGEST_LINE = 200
_MOST_LINES = 1_000_000
"""Five times the lines of 2026; the package is the system's, and its size not filterd's."""
_MARK = b"(hex)"


def makers_of(macs: Iterable[str], table: Path = TABLE) -> dict[str, str]:
    """Return the makers of MACs, without those that are not known. Never raises.

    It reads the whole table, so it runs in a thread.
    """
    wanted: dict[bytes, list[str]] = {}
    for mac in macs:
        if not is_random(mac):
            wanted.setdefault(mac[:8].upper().replace(":", "-").encode(), []).append(mac)
    found: dict[str, str] = {}
    if not wanted:
        return found
    try:
        with open_plain(table) as file:
            for _ in range(_MOST_LINES):
                line = file.readline(_LARGEST_LINE)
                if not line:
                    break
                prefix, mark, maker = line.partition(_MARK)
                if mark and (same := wanted.get(prefix.strip())):
                    found |= dict.fromkeys(same, _shown(maker))
    except OSError:  # as a rule it is not installed
        return {}
    return found


def _shown(maker: bytes) -> str:
    text = maker.decode("utf-8", errors="replace").strip()
    return "".join(letter for letter in text if letter.isprintable())
