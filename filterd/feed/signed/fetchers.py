# SPDX-License-Identifier: Apache-2.0
"""Fetch the feed's files from a web server or a folder, bounded, for TUF.

``filterd.http.http_download`` sets the bounds. A missing file is reported as TUF expects it, and
a server's ETag is sent back only if it is short. A folder gives plain files, through no link.
"""

from __future__ import annotations

import io
import os
import re
import stat
from abc import abstractmethod
from contextlib import closing, contextmanager
from typing import TYPE_CHECKING, NamedTuple

from tuf.api.exceptions import DownloadHTTPError
from tuf.ngclient import FetcherInterface

from filterd.base.errors import ConfigError, FetchError, ForeignContentError
from filterd.base.privileges import own_rights
from filterd.http.http_download import (
    CHUNK_OCTETS,
    NONE_KNOWN,
    Downloader,
    DownloadLimits,
    Pace,
    RequestPolicy,
    Validators,
    bounded,
    split,
)
from filterd.http.http_failures import page_error
from filterd.texts.i18n import refused, say

if TYPE_CHECKING:
    from collections.abc import Callable, Generator, Iterable, Iterator
    from pathlib import Path

    from filterd.base.clock import Clock
    from filterd.http.http_download import HttpResponse

_POLICY = RequestPolicy(frozenset({"http", "https"}), redirects=3, is_one_server=True)
"""Trust does not rest on the connection."""
_ANY_OCTETS = 1 << 62
"""The reader of the chunks counts them."""
_is_mark = re.compile(r'(?:W/)?"[!#-~]{1,64}"').fullmatch
"""A mark as RFC 9110 (section 8.8.3) writes it, and short: it is sent back."""


class Marked(NamedTuple):
    """The octets of a file, and its ETag; empty for none."""

    content: bytes
    etag: str


class Fetcher(FetcherInterface):
    """Fetch files, bounded; common to both kinds of source.

    Attributes:
        base: the address of ``metadata/`` and ``targets/``, with a slash at the end.
    """

    base: str

    def download_bytes(self, url: str, max_length: int) -> bytes:
        """Return a whole file.

        Raises:
            FetchError: one of its kinds.
            DownloadHTTPError: it is not there.
        """
        chunks = list[bytes]()
        self.download_into(url, max_length, chunks.append)
        return b"".join(chunks)

    def download_into(self, url: str, max_length: int, take: Callable[[bytes], object]) -> None:
        """Hand over a whole file in chunks as they come.

        Raises:
            FetchError: one of its kinds.
            DownloadHTTPError: it is not there.
        """
        with closing(self._fetch(url)) as chunks:
            for chunk in bounded(chunks, max_length, url):
                take(chunk)

    def download_changed(self, url: str, max_length: int, _known: str) -> Marked | None:
        """Return a whole file, or None where its ETag is still the known one.

        Raises:
            FetchError: one of its kinds.
            DownloadHTTPError: it is not there.
        """
        return Marked(self.download_bytes(url, max_length), "")

    @abstractmethod
    def _fetch(self, url: str) -> Generator[bytes]:
        """Yield the octets of a file; the caller closes this."""


class WebFetcher(Fetcher):
    """Fetch from a web server; trust does not rest on the connection.

    Args:
        base: ``http://`` or ``https://``.
        clock, limits: bound the run.

    Raises:
        ConfigError: the address is invalid, or has a name and password in it.
    """

    def __init__(self, base: str, clock: Clock, limits: DownloadLimits | None = None) -> None:
        parts = split(base)
        if parts.scheme not in ("http", "https") or not parts.hostname or parts.username:
            raise ConfigError(
                say("'{address}' is not an address of a feed", address=base),
                hint=say("write https://HOST/PATH, without a name or password"),
            )
        self.base = base if base.endswith("/") else f"{base}/"
        self._downloader = Downloader(Pace(clock, limits or DownloadLimits()), _POLICY)

    def download_changed(self, url: str, max_length: int, known: str) -> Marked | None:
        """Return a whole file, or None where the server finds the ETag current."""
        with self._got(url, Validators(known if _is_mark(known) else "")) as answer:
            if answer is None:
                return None
            content = b"".join(bounded(_checked(url, answer), max_length, url))
            etag = answer.validators.etag
            return Marked(content, etag if _is_mark(etag) else "")

    def _fetch(self, url: str) -> Generator[bytes]:
        with self._got(url) as answer:
            assert answer is not None, "nothing was known of it"
            yield from _checked(url, answer)

    @contextmanager
    def _got(self, url: str, known: Validators = NONE_KNOWN) -> Iterator[HttpResponse | None]:
        try:
            with self._downloader.get(url, known=known) as answer:
                yield answer
        except FetchError as error:
            if error.status in (403, 404):
                raise DownloadHTTPError(f"{url}: {error.status}", error.status) from error
            raise


def _checked(url: str, answer: HttpResponse) -> Iterator[bytes]:
    """Yield the octets of an answer; of metadata, if they do not begin as a web page."""
    is_first = url.endswith(".json")
    for chunk in answer.chunks(_ANY_OCTETS):
        if is_first and chunk.lstrip()[:1] == b"<":
            raise page_error(url)
        is_first = False
        yield chunk


class FolderFetcher(Fetcher):
    """Fetch from a folder, such as a USB stick, that has the same files as the server.

    Args:
        folder: has ``metadata/`` and ``targets/``; it may itself be a link.
        clock, limits: bound the run.
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
        mode = os.stat(part, dir_fd=at, follow_symlinks=False).st_mode
        if stat.S_ISLNK(mode):
            raise ForeignContentError(say("{name}: it is a link", name=name))
        if not (stat.S_ISREG(mode) or stat.S_ISDIR(mode)):  # to open a device may do something
            raise ForeignContentError(say("{name}: it is not a plain file", name=name))
        # If it was exchanged for a link in between, this is ELOOP.
        return os.open(part, os.O_RDONLY | os.O_NOFOLLOW | os.O_CLOEXEC | flags, dir_fd=at)
