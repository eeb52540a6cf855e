# SPDX-License-Identifier: Apache-2.0
"""Find which processes hold a port, in the tables of /proc, and how it is freed.

The kernel shows the sockets of all users, with their owners (proc(5)). The process behind one
is shown to its owner and to root only; for others a holder has no process.
"""

from __future__ import annotations

import contextlib
import pwd
import re
import sys
from ipaddress import ip_address
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from filterd.base.addresses import LOOPBACK_OF
from filterd.texts.i18n import Sentence, say

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator

PROC = Path("/proc")

_TABLES = {"udp": "07", "udp6": "07", "tcp": "0A", "tcp6": "0A"}
"""Of unconnected UDP sockets and listening TCP sockets, the state."""
_LOCAL, _STATE, _UID, _INODE = 1, 3, 7, 9
_COMM_OCTETS = 15
"""The kernel cuts a longer name of a program (``systemd-resolve``)."""
_MOST_SOCKETS, _MOST_PROCESSES, _MOST_DESCRIPTORS = 10_000, 10_000, 10_000
_LARGEST, _LONGEST = 4 * 1024 * 1024, 4_096
_OWN = "filterd.daemon"
_UNIT = re.compile(r"/([A-Za-z0-9:_.@-]+\.service)\s*$", re.MULTILINE)


class PortHolder(NamedTuple):
    """A socket that holds a port.

    Attributes:
        protocol: ``udp`` or ``tcp``.
        address: on which, as text; ``0.0.0.0`` or ``::`` for all.
        user: its owner.
        pids: of all processes that share it; none where they cannot be seen.
        program: the name of the first, empty where it cannot be seen.
        unit: its unit of systemd, empty for none.
    """

    protocol: str
    address: str
    user: str
    pids: tuple[int, ...] = ()
    program: str = ""
    unit: str = ""

    def keeps(self, address: str) -> bool:
        """Return whether it keeps an address from being bound to the same port.

        A socket of ``::`` may take IPv4, too (ipv6(7)); one of filterd takes its own version.
        """
        bare = address.partition("%")[0]
        if self.address in (bare, "::"):
            return True
        is_same_version = (":" in self.address) == (":" in bare)
        return is_same_version and not LOOPBACK_OF.keys().isdisjoint((self.address, bare))

    @property
    def remedy(self) -> Sentence:
        """How the port becomes free."""
        if self.program in _REMEDIES:
            return _REMEDIES[self.program]
        if self.unit:
            return say("stop it: sudo systemctl disable --now {unit}", unit=self.unit)
        if self.pids:
            return say("stop it: sudo kill {pid}", pid=self.pids[0])
        return say("see which one: sudo ss -lnp")


_REMEDIES = {
    "filterd": say("filterd runs already: see filterd status; sudo systemctl restart filterd"),
    "docker-proxy": say("stop the container that has the port: sudo docker ps"),
    "systemd-resolved": say(
        "set DNSStubListener=no in /etc/systemd/resolved.conf, then sudo systemctl restart"
        " systemd-resolved"
    ),
    "dnsmasq": say("set port=0 in its configuration (it goes on with DHCP), then restart it"),
    "avahi-daemon": say("5353 is the port of mDNS; choose another, such as 5300, in `listen`"),
}
"""By program."""


def holders(port: int, proc: Path = PROC) -> tuple[PortHolder, ...]:
    """Return the sockets that hold a port in this network namespace, by UDP or TCP.

    Raises:
        OSError: /proc cannot be read.
    """
    sockets = dict[str, tuple[str, str, str]]()
    for table, state in _TABLES.items():
        for address, user, inode in _bound(proc / "thread-self" / "net" / table, state, port):
            sockets[inode] = table.rstrip("6"), address, user
    processes = _processes(sockets, proc) if sockets else {}
    found = []
    for inode, socket in sockets.items():
        pids = processes.get(inode, ())
        found.append(PortHolder(*socket, pids, *_program(pids, proc)))
    return tuple(found)


def _bound(table: Path, state: str, port: int) -> Iterator[tuple[str, str, str]]:
    """Yield address, owner and inode of a table's sockets that are bound to a port."""
    try:
        with table.open(encoding="ascii", errors="replace") as file:
            text = file.read(_LARGEST)
    except FileNotFoundError:  # without IPv6
        return
    for line in islice(text.splitlines(), 1, _MOST_SOCKETS):
        fields = line.split()
        if len(fields) > _INODE and fields[_STATE] == state:
            address, _, number = fields[_LOCAL].partition(":")
            with contextlib.suppress(ValueError):
                if int(number, 16) == port:
                    yield _address(address), _user(int(fields[_UID])), fields[_INODE]


def _address(digits: str) -> str:
    """Return an address that the kernel prints as words in the host's order of octets."""
    octets = bytes.fromhex(digits)
    words = (octets[at : at + 4] for at in range(0, len(octets), 4))
    return str(
        ip_address(b"".join(word[:: -1 if sys.byteorder == "little" else 1] for word in words))
    )


def _user(uid: int) -> str:
    try:
        return pwd.getpwuid(uid).pw_name
    except (KeyError, OverflowError):
        return str(uid)


def _processes(inodes: Collection[str], proc: Path) -> dict[str, tuple[int, ...]]:
    """Return the processes that have sockets open, by inode."""
    wanted = {f"socket:[{inode}]": inode for inode in inodes}
    found = dict[str, tuple[int, ...]]()
    processes = (int(one.name) for one in proc.iterdir() if one.name.isdecimal())
    for pid in islice(sorted(processes), _MOST_PROCESSES):
        for link in _open_files(proc / str(pid) / "fd"):
            inode = wanted.get(link)
            if inode is not None and pid not in found.get(inode, ()):
                found[inode] = (*found.get(inode, ()), pid)
    return found


def _open_files(folder: Path) -> Iterator[str]:
    with contextlib.suppress(OSError):  # it has ended, or is another user's
        for descriptor in islice(folder.iterdir(), _MOST_DESCRIPTORS):
            with contextlib.suppress(OSError):
                yield str(descriptor.readlink())


def _program(pids: tuple[int, ...], proc: Path) -> tuple[str, str]:
    """Return the name of the first process that can be seen, and its unit of systemd."""
    for pid in pids:
        with contextlib.suppress(OSError):
            name = _text(proc / str(pid) / "comm").strip()
            words = _text(proc / str(pid) / "cmdline").split("\0")
            whole = Path(words[0]).name
            if len(name) == _COMM_OCTETS and whole.startswith(name):
                name = whole
            is_own = any(Path(word).name == "filterd" or word.startswith(_OWN) for word in words)
            found = _UNIT.search(_text(proc / str(pid) / "cgroup"))
            shown = "".join(filter(str.isprintable, name))
            return "filterd" if is_own else shown, found[1] if found else ""
    return "", ""


def _text(path: Path) -> str:
    with path.open(encoding="utf-8", errors="replace") as file:
        return file.read(_LONGEST)
