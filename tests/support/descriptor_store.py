# SPDX-License-Identifier: Apache-2.0
"""systemd's file descriptor store, as a service meets it: sd_notify in, LISTEN_FDS out."""

from __future__ import annotations

import contextlib
import fcntl
import os
import socket
from typing import TYPE_CHECKING, Self

from tests.support.daemon import WITHIN_S, Served, serving
from tests.support.unix_sockets import bind

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

_OUT_OF_THE_WAY = 100
"""Descriptors from here on do not collide with those from 3 on that a service gets."""
_MOST = 253


class DescriptorStore:
    """Keeps what a service stores, and passes it to the next process of the service."""

    def __init__(self, folder: Path) -> None:
        self.path = folder / "notify"
        self.kept: list[tuple[str, int]] = []
        self._socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self._socket.settimeout(WITHIN_S)
        bind(self._socket, self.path)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.forget("")
        self._socket.close()

    def read_until(self, words: str) -> None:
        """Do what the messages want, up to this one."""
        while self._read() != words:
            pass

    def forget(self, name: str) -> None:
        """Close what is kept by a name; all, for an empty one."""
        for _, number in (gone := [one for one in self.kept if name in ("", one[0])]):
            os.close(number)
        self.kept = [one for one in self.kept if one not in gone]

    def _read(self) -> str:
        message, passed, *_ = socket.recv_fds(self._socket, 4096, _MOST)
        lines = message.decode().split("\n")
        said = dict(line.split("=", 1) for line in lines)
        if "FDSTOREREMOVE" in said:
            self.forget(said["FDNAME"])
        for number in passed:
            is_known = any(os.path.sameopenfile(number, known) for _, known in self.kept)
            if "FDSTORE" in said and said.get("FDPOLL") == "0" and not is_known:
                kept = fcntl.fcntl(number, fcntl.F_DUPFD_CLOEXEC, _OUT_OF_THE_WAY)
                self.kept.append((said["FDNAME"], kept))
            os.close(number)
        return lines[0]

    @contextlib.contextmanager
    def serving(self, config: Path, state: Path) -> Iterator[Served]:
        """Start a daemon as systemd does, with all that is kept."""
        given = " ".join(f"{3 + n}<&{one} {one}<&-" for n, (_, one) in enumerate(self.kept))
        names = ":".join(name for name, _ in self.kept)
        variables = f"LISTEN_PID=$$ LISTEN_FDS={len(self.kept)} LISTEN_FDNAMES={names}"
        before = ("bash", "-c", f'exec {given}; {variables} exec "$@"', "bash")
        passed = [number for _, number in self.kept]
        notify = {"NOTIFY_SOCKET": str(self.path)}
        with serving(config, state, before=before, pass_fds=passed, **notify) as served:
            self.read_until("READY=1")
            yield served
