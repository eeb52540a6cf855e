# SPDX-License-Identifier: Apache-2.0
"""Reader of the DHCP servers' lease files. It blocks, so it runs in a thread."""

from __future__ import annotations

import logging
from pathlib import Path
from typing import TYPE_CHECKING, TypeAlias

from filterd.clients.lease_formats import kea_parts, parse_dnsmasq, parse_kea
from filterd.clients.leases import Lease, latest
from filterd.paths import open_plain
from filterd.policy.model import LeaseFile, LeaseFormat

if TYPE_CHECKING:
    from collections.abc import Iterator

_log = logging.getLogger("filterd.clients")

_LARGEST_FILE = 16 * 1024 * 1024
"""A hundred thousand changes: Kea writes one a line, and begins a new file every hour."""

Mark: TypeAlias = tuple[tuple[str, int, int, int], ...]
"""Path, inode, size and modification time of each file: it changes when a file does."""


class LeaseFiles:
    """The lease files that a policy names."""

    def __init__(self, files: tuple[LeaseFile, ...]) -> None:
        self._files = files
        self._failing: set[str] = set()

    def mark(self) -> Mark:
        """Return a mark that differs when ``read`` would find something else."""
        paths = [path for file in self._files for path in _parts(file)]
        return tuple(_mark(path) for path in paths)

    def read(self) -> tuple[Lease, ...]:
        """Return all leases but those of files that cannot be read. Never raises."""
        return latest(lease for file in self._files for lease in self._leases(file))

    def _leases(self, file: LeaseFile) -> tuple[Lease, ...]:
        contents = list(self._contents(file))
        if file.format is LeaseFormat.KEA:
            return parse_kea(contents)
        return parse_dnsmasq(b"".join(contents))

    def _contents(self, file: LeaseFile) -> Iterator[bytes]:
        for path in _parts(file):
            try:
                with open_plain(Path(path)) as opened:
                    content = opened.read(_LARGEST_FILE + 1)
            except FileNotFoundError:
                # A server that has never given a lease has no file, and Kea
                # has most of its parts only now and then.
                continue
            except OSError as error:
                self._warn(path, error.strerror or "it cannot be read")
                continue
            if len(content) > _LARGEST_FILE:
                self._warn(path, "it is larger than 16 MiB")
                continue
            self._failing.discard(path)
            yield content

    def _warn(self, path: str, why: str) -> None:
        if path not in self._failing:
            self._failing.add(path)
            _log.warning("%s: %s: its leases are not known; see `leases` in site.yaml", path, why)


def _parts(file: LeaseFile) -> tuple[str, ...]:
    return kea_parts(file.path) if file.format is LeaseFormat.KEA else (file.path,)


def _mark(path: str) -> tuple[str, int, int, int]:
    try:
        status = Path(path).stat()
    except OSError:
        return (path, 0, 0, 0)
    return (path, status.st_ino, status.st_size, status.st_mtime_ns)
