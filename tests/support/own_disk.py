# SPDX-License-Identifier: Apache-2.0
"""A daemon whose state folder is a disk of its own, as a test sets it.

The disk is a tmpfs in a mount namespace of the daemon. Tests reach its files, also the
control socket, through the daemon's process.
"""

from __future__ import annotations

import contextlib
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from filterd.state_folder import StateFolder
from tests.support.daemon import Served, free_port, starting, write_site

if TYPE_CHECKING:
    from collections.abc import Iterator

_FILL = 'dd if=/dev/zero of="$0/ballast" bs=4k 2>/dev/null; :'
DISKS = {
    "full": f'mount -t tmpfs -o size=3m tmpfs "$0"; {_FILL}',
    "only to read": 'mount -t tmpfs -o ro tmpfs "$0"',
    "no file at all": 'mount -t tmpfs tmpfs "$0"; ulimit -f 0',
    "small files": 'mount -t tmpfs tmpfs "$0"; ulimit -f 8',
}
"""Shell commands; ``$0`` is the state folder."""


@dataclass
class OnOwnDisk:
    """A daemon that was started there; ``state`` is seen from outside."""

    served: Served
    port: int

    @property
    def state(self) -> StateFolder:
        """Its state folder."""
        folder = self.served.state.folder
        return StateFolder(Path(f"/proc/{self.served.process.pid}/root{folder}"))

    def make_room(self) -> None:
        """Have the disk take files again."""
        (self.state.folder / "ballast").unlink()

    def fill(self) -> None:
        """Leave no octet free."""
        with contextlib.suppress(OSError), (self.state.folder / "ballast").open("wb", 0) as file:
            while True:
                file.write(bytes(4096))


@contextlib.contextmanager
def on_own_disk(
    disk: str, spoilt: str = "pass", *, before: str = "", upstream: int = 9
) -> Iterator[OnOwnDisk]:
    """Start a daemon on such a disk; it may not serve yet.

    Args:
        disk: shell commands that make it.
        spoilt: Python that takes a safeguard away.
        before: shell commands to run then, as what the disk holds before the start.
        upstream: its port.
    """
    program = f"import sys; {spoilt}\nfrom filterd.cli.entry import main; main()"
    # The options come behind; the state folder is the last of them.
    script = f'for state in "$@"; do :; done; set -- "$state" "$@"; {_at_first(disk, before)}'
    shell = ("unshare", "-rm", "bash", "-c", script, "bash")
    with tempfile.TemporaryDirectory() as folder:
        place, port = Path(folder), free_port()
        config = write_site(place / "site", port=port, upstream=upstream)
        (place / "s").mkdir()
        with starting(config, place / "s", before=shell, program=("-c", program)) as served:
            yield OnOwnDisk(served, port)


def _at_first(disk: str, before: str) -> str:
    made = disk.replace("$0", "$1")
    return f'{made}; {before or ":"}; shift; exec "$@"'
