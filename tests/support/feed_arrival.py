# SPDX-License-Identifier: Apache-2.0
"""Another way for versions to arrive than a signed feed: plain folders, with ids in letters."""

from __future__ import annotations

import shutil
from typing import TYPE_CHECKING

from filterd.feed.version_download import Taken
from filterd.feed.version_files import is_of, publication_of, write_manifest

if TYPE_CHECKING:
    from pathlib import Path

    from filterd.feed.arrival import Moment, Progress
    from filterd.feed.guard import Judgement
    from filterd.feed.versions import Versions
    from filterd.i18n import Sentence


class FolderOffer:
    """A folder that is offered as a version."""

    in_rings, remarks, retry_after_s = True, (), 0.0

    def __init__(self, folder: Path, version: str, now: float) -> None:
        self._folder, self._publication = folder, publication_of(folder, version)
        self.version, self.urgent, self.clock_known = version, 0, True
        self.issued_at, self.expires_at = now, now + 86_400.0

    def is_in(self, folder: Path) -> bool:
        return is_of(folder, self._publication)

    def take(self, versions: Versions, progress: Progress) -> Taken:
        folder = versions.folder_of(self.version)
        shutil.rmtree(folder, ignore_errors=True)
        partial = versions.partial_of(self.version)
        shutil.rmtree(partial, ignore_errors=True)
        shutil.copytree(self._folder, partial)
        write_manifest(partial, self._publication)
        progress(self._publication.octets, self._publication.octets)
        return Taken(versions.finish(self.version), self._publication.octets)

    def release_of(self, judgement: Judgement, now: float | None) -> Sentence | None:
        del judgement, now
        return None


class FolderArrival:
    """Offers one folder."""

    def __init__(self, folder: Path, version: str) -> None:
        self._folder, self._version = folder, version

    def refresh(self, moment: Moment) -> FolderOffer:
        return FolderOffer(self._folder, self._version, moment.now)

    def urgent(self) -> int:
        return 0
