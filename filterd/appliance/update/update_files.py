# SPDX-License-Identifier: Apache-2.0
"""Keep the files of updates, in a folder that root alone writes and all may read.

::

    trust/            the publisher's root, and the metadata verified since
    appliance-id      for the ring of this appliance
    standing          what people see, ``feed.program_standing``
    package.deb       the package that is being installed
    pending           the update that has begun, and its step
    program           link to the release that began it, which goes on after a power cut
"""

from __future__ import annotations

import contextlib
from dataclasses import field
from enum import StrEnum
from typing import TYPE_CHECKING

from filterd.appliance.update.update_watch import ServedBefore
from filterd.base.paths import writing
from filterd.base.state_file import FileFormat
from filterd.base.value_class import frozen
from filterd.feed.program_standing import ProgramStandingFile
from filterd.feed.signed.trust import TrustFolder
from filterd.texts.i18n import UNSAID, Sentence

if TYPE_CHECKING:
    from pathlib import Path


class UpdateStep(StrEnum):
    """The step of an update that has begun; in START its release must begin to serve."""

    INSTALL = "install"
    START = "start"
    WATCH = "watch"
    GO_BACK = "go-back"


@frozen
class PendingUpdate:
    """An update that has begun.

    Attributes:
        version: of the release to come.
        before: the name of the release that served.
        boot: the id of the boot in which it was decided.
        step: what is being done.
        tries: how often its installation or its watch was begun.
        served: what the release before did.
        has_served: whether its release was in service.
        why: why it goes back.
    """

    version: str
    before: str
    boot: str
    step: UpdateStep = UpdateStep.INSTALL
    tries: int = 0
    served: ServedBefore = field(default_factory=ServedBefore)
    has_served: bool = False
    why: Sentence = UNSAID


_FORMAT = FileFormat(
    PendingUpdate,
    magic=b"filterd program-pending ",
    words={"UpdateStep": UpdateStep, "ServedBefore": ServedBefore},
    most_octets=1 << 16,
)


@frozen
class UpdateFiles:
    """Root's folder for updates."""

    folder: Path

    @property
    def trust(self) -> TrustFolder:
        """The publisher's root, and the metadata verified since."""
        return TrustFolder(self.folder / "trust")

    @property
    def standing(self) -> ProgramStandingFile:
        """What people see."""
        return ProgramStandingFile(self.folder)

    @property
    def package(self) -> Path:
        """The package that is being installed."""
        return self.folder / "package.deb"

    @property
    def pending(self) -> Path:
        """The update that has begun."""
        return self.folder / "pending"

    @property
    def program(self) -> Path:
        """The link to the release that began it."""
        return self.folder / "program"

    def make(self) -> None:
        """Make the folder; all may read in it, root alone writes.

        Raises:
            StoreError: the disk refused.
        """
        with writing(self.folder):
            for one in (self.folder, self.trust.folder):
                one.mkdir(mode=0o755, parents=True, exist_ok=True)

    def establish(self, root: bytes, *, replace: bool) -> None:
        """Trust a publisher's root for programs from now on.

        Raises:
            FilterdError: it is no root, another is trusted, or the disk refused.
        """
        self.make()
        self.trust.establish(root, replace=replace)
        with writing(self.trust.root):
            self.trust.root.chmod(0o644)  # the user that fetches begins with it, too

    def read_pending(self) -> PendingUpdate | None:
        """Return the update that has begun; None for none."""
        return _FORMAT.read(self.pending)

    def keep(self, pending: PendingUpdate) -> None:
        """Keep an update that has begun.

        Raises:
            StoreError: the disk refused.
        """
        _FORMAT.save(self.pending, pending)

    def clear(self) -> None:
        """Remove the files of an update; the pending one first, because it decides."""
        for path in (self.pending, self.program, self.package):
            with contextlib.suppress(OSError):
                path.unlink(missing_ok=True)
