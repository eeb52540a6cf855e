# SPDX-License-Identifier: Apache-2.0
"""Keep the files in which schools report mistakes, one of each gateway.

They stand as they came in ``mistakes/`` of the publisher's folder, and are read and verified
again whenever the queue is made of them (``review``). A newer file of a gateway takes the
place of the one before, so a report that a school takes back is gone with its next file.
"""

from __future__ import annotations

from enum import StrEnum
from typing import TYPE_CHECKING

from filterd.base.errors import StoreError
from filterd.base.paths import make_folder, write_atomically, writing
from filterd.base.value_class import frozen
from filterd.texts.i18n import UNSAID, say

if TYPE_CHECKING:
    from pathlib import Path

    from filterd.overrides.mistake_reports import Report
    from filterd.texts.i18n import Sentence

INBOX = "mistakes"
MOST_OCTETS = 1 << 20
MOST_REPORTS = 500
MOST_NOT_ENROLLED = 500
"""Files of gateways that no province has enrolled: anyone can make one more."""
MOST_ENROLLED = 60_000
_SUFFIX = ".enrolled", ".other"


class SenderStanding(StrEnum):
    """What is known of the sender of a file.

    ENROLLED: a province has enrolled the gateway. SIGNED: by a key that could be anyone's.
    UNSIGNED: a file of an older filterd.
    """

    ENROLLED = "enrolled"
    SIGNED = "signed"
    UNSIGNED = "unsigned"


@frozen
class SchoolReports:
    """The content of a file.

    Attributes:
        standing: of its sender.
        code, school: what it names; only those of an enrolled sender are true.
        sender: 64 hexadecimal digits, the same for each file of a gateway.
        made_at: Unix time.
        reports: in the order of the school's history.
        doubt: why the sender counts as not enrolled.
    """

    standing: SenderStanding
    code: str
    school: str
    sender: str
    made_at: int
    reports: tuple[Report, ...]
    doubt: Sentence = UNSAID

    @property
    def is_enrolled(self) -> bool:
        """Whether the school is known."""
        return self.standing is SenderStanding.ENROLLED


class Inbox:
    """The kept files of a publisher's folder."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder / INBOX

    def paths(self) -> list[Path]:
        """Return the kept files, those of enrolled schools first."""
        return [*self._kept(enrolled=True)[:MOST_ENROLLED], *self._kept(enrolled=False)]

    def path_of(self, found: SchoolReports) -> Path:
        """Return where a file is kept."""
        return self._folder / (found.sender + _SUFFIX[not found.is_enrolled])

    def keep(self, octets: bytes, found: SchoolReports, before: SchoolReports | None) -> bool:
        """Keep a file; return whether it is not older than the one before.

        Args:
            octets: of the file.
            found: its content.
            before: of the kept file of the same sender, None for none.

        Raises:
            StoreError: there is no room for another unknown sender, or the disk refused.
        """
        path = self.path_of(found)
        if before is not None and before.made_at > found.made_at:
            return False
        if before is not None and path.read_bytes() == octets:
            return True
        is_more = not found.is_enrolled and not path.exists()
        if is_more and len(self._kept(enrolled=False)) >= MOST_NOT_ENROLLED:
            raise StoreError(
                say(
                    "{folder} has {most} files of gateways that are not enrolled; remove some",
                    folder=self._folder,
                    most=MOST_NOT_ENROLLED,
                )
            )
        with writing(self._folder):
            make_folder(self._folder)
        write_atomically(path, octets)
        if found.is_enrolled:
            path.with_suffix(_SUFFIX[1]).unlink(missing_ok=True)
        return True

    def _kept(self, *, enrolled: bool) -> list[Path]:
        return sorted(self._folder.glob(f"*{_SUFFIX[not enrolled]}"))
