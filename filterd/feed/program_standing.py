# SPDX-License-Identifier: Apache-2.0
"""Keep which releases of filterd are offered, held, taken and taken back.

Root alone writes the file, in a folder of its own (``appliance.update.program_update``). The
daemon and commands read it, for people; it has no secret.
"""

from __future__ import annotations

from enum import StrEnum
from typing import TYPE_CHECKING, Any

from filterd.base.paths import write_atomically
from filterd.base.state_file import FileFormat, to_plain
from filterd.base.value_class import frozen
from filterd.texts.i18n import UNSAID, Sentence

if TYPE_CHECKING:
    from pathlib import Path

MOST_ENDINGS = 20
_MOST_OCTETS = 1 << 16
_NO_WAITING = ("", "not-newer", "taken-back")
"""Values of ``waits_for`` that no time ends."""


class UpdateEnding(StrEnum):
    """The end of an update.

    TAKEN: the release serves and was watched. TAKEN_BACK: it did harm, and the one before serves.
    FAILED: it was not put in service. ROLLED_BACK: an administrator went back.
    """

    TAKEN = "taken"
    TAKEN_BACK = "taken-back"
    FAILED = "failed"
    ROLLED_BACK = "rolled-back"


@frozen
class EndedUpdate:
    """An update that has ended: to which version, from which one, how and why."""

    at: float
    version: str
    before: str
    ending: UpdateEnding
    why: Sentence = UNSAID


@frozen
class ProgramStanding:
    """How the releases stand; Unix times, None for never.

    Attributes:
        looked_at: when an offer was last verified.
        offered: the version that was offered then; empty for none.
        waits_for: why it is not taken yet, an ``UpdateReason``; empty where it does not wait.
        why: the same, or why the last look failed, for people.
        takes_at: from when on it is taken, as far as known.
        waiting_since: when a version first came that was not taken yet.
        postponed_since: when the daemon first delayed one that was due, for an exam.
        refused: versions that are not taken again.
        held: whether no version is taken at all.
        held_until: when that ends; None for not by itself.
        endings: the last updates, the newest at the end.
    """

    looked_at: float | None = None
    offered: str = ""
    waits_for: str = ""
    why: Sentence = UNSAID
    takes_at: float | None = None
    waiting_since: float | None = None
    postponed_since: float | None = None
    refused: tuple[str, ...] = ()
    held: bool = False
    held_until: float | None = None
    endings: tuple[EndedUpdate, ...] = ()

    def is_held(self, now: float) -> bool:
        """Return whether no version is taken at a Unix time."""
        return self.held and (self.held_until is None or now < self.held_until)


_FORMAT = FileFormat(
    ProgramStanding,
    magic=b"filterd program-standing ",
    words={"EndedUpdate": EndedUpdate, "UpdateEnding": UpdateEnding},
    most_octets=_MOST_OCTETS,
)


def beside(state: Path) -> Path:
    """Return root's folder for updates: ``/var/lib/filterd-install``."""
    return state.with_name(f"{state.name}-install")


def mirror_beside(state: Path) -> Path:
    """Return the mirror, in the fetching user's folder ``/var/lib/filterd-update``."""
    return state.with_name(f"{state.name}-update") / "mirror"


class ProgramStandingFile:
    """The file of the standing, in root's folder for updates."""

    def __init__(self, folder: Path) -> None:
        self._path = folder / "standing"

    def read(self) -> ProgramStanding:
        """Return the standing; the initial one where it cannot be read."""
        return _FORMAT.read(self._path) or ProgramStanding()

    def write(self, standing: ProgramStanding) -> None:
        """Keep it, readable to all.

        Raises:
            StoreError: the disk refused.
        """
        write_atomically(self._path, _FORMAT.dump(standing), mode=0o644)


def program_overview(state: Path) -> dict[str, Any]:
    """Return the standing of the releases as plain data, for a status.

    Args:
        state: the state folder of the daemon.

    Returns: ``offered``, ``waits_for``, ``sentence`` (why) and ``takes_at`` as of
        ``ProgramStanding``; ``waiting_since``, None where nothing waits that will be taken;
        ``taken_back_at``, when the last update was taken back, None where it was not; ``last``.
    """
    standing = ProgramStandingFile(beside(state)).read()
    last = standing.endings[-1] if standing.endings else None
    is_taken_back = last is not None and last.ending is UpdateEnding.TAKEN_BACK
    is_waiting = standing.waits_for not in _NO_WAITING
    return {
        "offered": standing.offered,
        "waits_for": standing.waits_for,
        "sentence": to_plain(standing.why),
        "takes_at": standing.takes_at,
        "waiting_since": standing.waiting_since if is_waiting else None,
        "taken_back_at": last.at if last is not None and is_taken_back else None,
        "last": to_plain(last),
    }
