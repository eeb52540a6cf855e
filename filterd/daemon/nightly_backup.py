# SPDX-License-Identifier: Apache-2.0
"""How the nightly backup went last: written by its unit, read for the status."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from filterd.i18n import UNSAID, Sentence
from filterd.state_file import FileFormat, to_plain

if TYPE_CHECKING:
    from pathlib import Path


@dataclass(frozen=True, slots=True)
class NightlyBackup:
    """The state of the nightly backups.

    Attributes:
        done_at: Unix time of the last one that worked; None for none yet.
        failing_since: Unix time of the first failure after it; None if it works.
        problem: why the last one failed.
        file: the path of the last one that worked.
        octets: of that file.
    """

    done_at: float | None = None
    failing_since: float | None = None
    problem: Sentence = UNSAID
    file: str = ""
    octets: int = 0


FORMAT = FileFormat(NightlyBackup, magic=b"filterd nightly-backup ", most_octets=1 << 16)


def facts(path: Path) -> dict[str, Any] | None:
    """Return the state as plain data; None where no backup was made by night."""
    plain: dict[str, Any] | None = to_plain(FORMAT.read(path))
    return plain
