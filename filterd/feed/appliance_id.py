# SPDX-License-Identifier: Apache-2.0
"""What an appliance keeps for its schedule: an id, and when a run last ended.

The id is random, made once, and goes nowhere: it gives the appliance its place
among all others (``schedule.place_of``), so that they do not come at once, and
its ring when something new is taken by few first. Nothing is lost with either
file but a place: a damaged one is made anew.
"""

from __future__ import annotations

import json
import math
import secrets
from dataclasses import dataclass
from typing import TYPE_CHECKING

from filterd.paths import open_plain, write_atomically

if TYPE_CHECKING:
    from pathlib import Path

ID_OCTETS = 16
_MOST_OCTETS = 1_000


@dataclass(frozen=True, slots=True)
class ApplianceFolder:
    """What is kept, below ``/var/lib/filterd/feed``; one process at a time works with it."""

    folder: Path

    @property
    def id_path(self) -> Path:
        """The id, in hex. An image of a card for many schools must not have it."""
        return self.folder / "appliance-id"

    @property
    def last_run_path(self) -> Path:
        """When a run last ended with an answer."""
        return self.folder / "last-run.json"

    def appliance_id(self) -> bytes:
        """Return the id; it is made if there is none.

        Raises:
            StoreError: it cannot be kept.
        """
        try:
            known = bytes.fromhex(self._read(self.id_path).decode("ascii"))
        except (OSError, ValueError):
            known = b""
        if len(known) == ID_OCTETS:
            return known
        made = secrets.token_bytes(ID_OCTETS)
        write_atomically(self.id_path, made.hex().encode("ascii"), mode=0o600)
        return made

    def done_at(self) -> float | None:
        """Return when a run last ended with an answer, Unix time; ``None`` if it is not known."""
        try:
            at = json.loads(self._read(self.last_run_path))["done_at"]
        except (OSError, ValueError, KeyError, TypeError, RecursionError):
            return None
        return at if isinstance(at, float) and math.isfinite(at) else None

    def remember(self, done_at: float) -> None:
        """Keep when a run ended.

        Raises:
            StoreError: it cannot be kept.
        """
        write_atomically(self.last_run_path, json.dumps({"done_at": done_at}).encode("ascii"))

    @staticmethod
    def _read(path: Path) -> bytes:
        with open_plain(path) as file:
            return file.read(_MOST_OCTETS)
