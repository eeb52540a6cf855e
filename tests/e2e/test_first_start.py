# SPDX-License-Identifier: Apache-2.0
"""A first start on a disk that takes nothing serves the shipped lists from memory.

Also, the disk of a running daemon fills up, at any later moment.
"""

from __future__ import annotations

import contextlib
import os
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from filterd import control
from filterd.base.errors import ControlError
from filterd.base.state_folder import StateFolder
from tests.support.changes import an_exception
from tests.support.daemon import WITHIN_S, Served, free_port, starting, write_site
from tests.support.waiting import ask, is_blocked

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


pytestmark = [pytest.mark.long, pytest.mark.usefixtures("needs_namespaces")]

LOCKED = "www.pornhub.com"
IN_MEMORY = "the lists are in memory only"
NO_MEMORY = (
    "from filterd.daemon.manager import site_loader; site_loader.Unwritten.compile_index = None"
)
EIO = """
import os
def refuse(event, arguments):
    if event == "open" and str(arguments[0]).startswith(sys.argv[-1] + "/"):
        raise OSError(5, os.strerror(5), arguments[0])
sys.addaudithook(refuse)
"""


def _asked(there: OnOwnDisk, command: str, **arguments: Any) -> Any:
    return ask(there.state.control_socket, command, **arguments)


@pytest.mark.parametrize("disk", DISKS)
def test_a_first_start_serves_what_ships_from_memory(disk: str) -> None:
    with on_own_disk(DISKS[disk]) as there:
        there.served.wait_for(IN_MEMORY)
        there.served.wait_for("filterd listens on")
        assert is_blocked(there.port, LOCKED)
        assert there.served.end() == 0


def test_a_first_start_goes_on_where_no_file_can_be_opened() -> None:
    with on_own_disk("mount -t tmpfs tmpfs $0", EIO) as there:
        there.served.wait_for(IN_MEMORY)
        there.served.wait_for("filterd listens on")
        assert is_blocked(there.port, LOCKED)


def test_control_without_memory_a_first_start_on_a_full_disk_is_no_start() -> None:
    with on_own_disk(DISKS["full"], NO_MEMORY) as there:
        assert there.served.process.wait(WITHIN_S) != 0


def test_what_is_in_memory_goes_over_to_the_disk_as_soon_as_that_takes_it() -> None:
    with on_own_disk(DISKS["full"]) as there:
        there.served.wait_for("filterd listens on")
        status = _asked(there, "status")
        assert status["in_memory"] == ["policy", "lists"]
        assert "in memory only" in str(status["doubts"])
        there.make_room()
        there.served.wait_for("can be written again")
        state = there.state
        assert all(path.stat().st_size for path in (state.index, state.policy))
        assert _asked(there, "status")["in_memory"] == []
        assert _asked(there, "reload")
        assert is_blocked(there.port, LOCKED)


def test_a_disk_that_fills_up_while_it_serves_takes_nothing_away() -> None:
    with on_own_disk("mount -t tmpfs -o size=4m tmpfs $0") as there:
        there.served.wait_for("filterd listens on")
        block = an_exception(target="b.example", allow=False)
        assert _asked(there, "change", kind="exception", reason="r", **block)
        there.fill()
        more = block | {"target": "c.example"}
        with pytest.raises(ControlError, match="cannot be written"):
            control.ask(there.state.control_socket, "change", kind="exception", reason="r", **more)
        pid = there.served.process.pid
        tasks = f"/proc/{pid}/task/{pid}/children"
        with open(tasks, encoding="ascii") as file:  # noqa: PTH123 -- of the kernel
            for child in map(int, file.read().split()):
                os.kill(child, 9)
        assert is_blocked(there.port, "b.example")
        assert is_blocked(there.port, LOCKED)
        assert "b.example" in str(_asked(there, "overrides"))
        assert _asked(there, "history-verify")["ok"]
        _asked(there, "reload")
        assert is_blocked(there.port, "b.example")
