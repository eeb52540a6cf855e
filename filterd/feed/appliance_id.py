# SPDX-License-Identifier: Apache-2.0
"""What an appliance keeps for its schedule: an id, and when a run last ended.

The id is random, made once, and goes nowhere: it gives the appliance its place
among all others (``schedule.place_of``), so that they do not come at once, and
its ring when something new is taken by few first. Nothing is lost with either
file but a place: a damaged one is made anew.
"""

from __future__ import annotations

import json
import secrets
from dataclasses import dataclass
from typing import TYPE_CHECKING

from filterd.paths import read_plain, write_atomically
from filterd.state_file import FileFormat

if TYPE_CHECKING:
    from pathlib import Path

ID_OCTETS = 16
_MOST_OCTETS = 1_000


@dataclass(frozen=True, slots=True)
class _LastRun:
    done_at: float


_FORMAT = FileFormat(
    _LastRun, magic=b"filterd feed-run ", most_octets=_MOST_OCTETS, legacy=json.loads
)


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
            known = bytes.fromhex(read_plain(self.id_path, _MOST_OCTETS).decode("ascii"))
        except (OSError, ValueError):
            known = b""
        if len(known) == ID_OCTETS:
            return known
        made = secrets.token_bytes(ID_OCTETS)
        write_atomically(self.id_path, made.hex().encode("ascii"), mode=0o600)
        return made

    def done_at(self) -> float | None:
        """Return when a run last ended with an answer, Unix time; ``None`` if it is not known."""
        last = _FORMAT.read(self.last_run_path)
        return None if last is None else last.done_at

    def remember(self, done_at: float) -> None:
        """Keep when a run ended.

        Raises:
            StoreError: it cannot be kept.
        """
        _FORMAT.save(self.last_run_path, _LastRun(done_at))
