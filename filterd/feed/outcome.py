# SPDX-License-Identifier: Apache-2.0
"""What a run that did not fail has led to."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import Any


class Became(StrEnum):
    """What a run that did not fail has led to."""

    ACTIVATED = "activated"
    CURRENT = "current"
    WAITS = "waits"


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of a run.

    Attributes:
        became: what it led to.
        version: which is published.
        urgent: the version that was published urgently last, 0 for none.
        fetched_octets: without metadata.
        names: on the lists in force; 0 where nothing changed.
        at: from when on the version will be taken, where it waits; Unix time.
    """

    became: Became
    version: int
    urgent: int = 0
    fetched_octets: int = 0
    names: int = 0
    at: float = 0.0

    def to_plain(self) -> dict[str, Any]:
        """Return it as plain data."""
        return {
            "became": self.became.value,
            "version": self.version,
            "urgent": self.urgent,
            "fetched_octets": self.fetched_octets,
            "names": self.names,
            "at": self.at,
        }
