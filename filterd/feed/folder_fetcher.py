# SPDX-License-Identifier: Apache-2.0
"""Octets of the feed from a folder, a USB stick for one: plain files inside it, by no link."""

from __future__ import annotations

import io
import os
import stat
from typing import TYPE_CHECKING

from tuf.api.exceptions import DownloadHTTPError

from filterd.errors import FetchError, ForeignContentError
from filterd.feed.http_fetcher import Fetcher
from filterd.http_download import CHUNK_OCTETS, DownloadLimits, Pace
from filterd.i18n import refused, say
from filterd.privileges import own_rights

if TYPE_CHECKING:
    from collections.abc import Generator, Iterable
    from pathlib import Path

    from filterd.clock import Clock


class FolderFetcher(Fetcher):
    """Reads a folder, a USB stick for one, that has the same files as the server.

    Args:
        folder: where ``metadata/`` and ``targets/`` are; it may itself be a link.
        clock, limits: what bounds the run.
    """

    base = "folder:/"

    def __init__(self, folder: Path, clock: Clock, limits: DownloadLimits | None = None) -> None:
        self._folder = folder
        self._pace = Pace(clock, limits or DownloadLimits())

    def _fetch(self, url: str) -> Generator[bytes]:
        self._pace.begin()
        name = url.removeprefix(self.base)
        try:
            with self._open(name) as file:
                while chunk := file.read(CHUNK_OCTETS):
                    self._pace.count(len(chunk))
                    yield chunk
        except (FileNotFoundError, NotADirectoryError) as error:
            raise DownloadHTTPError(str(self._folder / name), 404) from error
        except OSError as error:
            raise FetchError(
                say("{path}: cannot be read: {why}", path=self._folder / name, why=refused(error))
            ) from error

    def _open(self, name: str) -> io.FileIO:
        """Open a plain file below the folder, by no link."""
        *folders, last = name.split("/")
        if any(part in ("", ".", "..") or "\0" in part for part in (*folders, last)):
            raise ForeignContentError(say("{name}: the name leaves the folder", name=name))
        with own_rights():  # only the operator may be able to read the stick
            return self._open_below(folders, last, name)

    def _open_below(self, folders: Iterable[str], last: str, name: str) -> io.FileIO:
        at = os.open(self._folder, os.O_RDONLY | os.O_DIRECTORY)
        try:
            for part in folders:
                below = self._open_at(at, part, os.O_DIRECTORY, name)
                os.close(at)
                at = below
            descriptor = self._open_at(at, last, os.O_NONBLOCK, name)
        finally:
            os.close(at)
        if not stat.S_ISREG(os.fstat(descriptor).st_mode):
            os.close(descriptor)
            raise ForeignContentError(say("{name}: it is not a plain file", name=name))
        return io.FileIO(descriptor)

    @staticmethod
    def _open_at(at: int, part: str, flags: int, name: str) -> int:
        if stat.S_ISLNK(os.stat(part, dir_fd=at, follow_symlinks=False).st_mode):
            raise ForeignContentError(say("{name}: it is a link", name=name))
        # Whoever exchanges it in between gets ELOOP.
        return os.open(part, os.O_RDONLY | os.O_NOFOLLOW | os.O_CLOEXEC | flags, dir_fd=at)
