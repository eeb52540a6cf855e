# SPDX-License-Identifier: Apache-2.0
"""Find the process that has a port, from the tables of the kernel (proc(5)).

``/proc/net`` lists the sockets of everybody with their inode and owner; which process has
an inode open is shown to its owner and to root only.
"""

from __future__ import annotations

import os
import pwd
import socket
import sys
from ipaddress import IPv4Address, IPv6Address, ip_address
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterator

_LISTENS, _UNCONNECTED = "0A", "07"
_COMM_OCTETS = 15
_OURS = b"filterd.daemon.main"


class PortHolder(NamedTuple):
    """The process that has a port: what is known of it, else 0 and empty texts."""

    pid: int = 0
    program: str = ""
    user: str = ""


def port_holder(
    address: str, port: int, kind: socket.SocketKind, proc: Path = Path("/proc")
) -> PortHolder | None:
    """Return the process that keeps an address and port from being bound, None if none is seen."""
    wanted = ip_address(address.partition("%")[0])
    for inode, uid in _sockets(wanted, port, kind, proc):
        user = _user(uid)
        for pid in sorted(int(one.name) for one in proc.iterdir() if one.name.isdecimal()):
            if _has_open(proc / str(pid), f"socket:[{inode}]"):
                return PortHolder(pid, _program(proc / str(pid)), user)
        return PortHolder(user=user)
    return None


def _sockets(
    wanted: IPv4Address | IPv6Address, port: int, kind: socket.SocketKind, proc: Path
) -> Iterator[tuple[str, int]]:
    """Yield inode and owner of the sockets that are bound to the port and listen."""
    name, state = ("udp", _UNCONNECTED) if kind == socket.SOCK_DGRAM else ("tcp", _LISTENS)
    for table in (name, f"{name}6"):
        try:
            lines = (proc / "net" / table).read_text("ascii").splitlines()[1:]
        except OSError:  # without IPv6, or hidden
            continue
        for line in lines:
            _, local, _, its_state, _, _, _, uid, _, inode, *_ = line.split()
            shown, _, its_port = local.partition(":")
            if int(its_port, 16) == port and its_state == state:
                bound = _address(shown)
                if bound == wanted or bound.is_unspecified or wanted.is_unspecified:
                    yield inode, int(uid)


def _address(shown: str) -> IPv4Address | IPv6Address:
    """Read an address that stands as words of 32 bits in the byte order of the machine."""
    octets = bytes.fromhex(shown)
    if sys.byteorder == "little":
        octets = b"".join(octets[at : at + 4][::-1] for at in range(0, len(octets), 4))
    return ip_address(octets)


def _has_open(process: Path, link: str) -> bool:
    try:
        return any(str(one.readlink()) == link for one in (process / "fd").iterdir())
    except OSError:  # it belongs to somebody else, or has ended
        return False


def _program(process: Path) -> str:
    """Return the name of a program; ``comm`` may be cut (``systemd-resolve``)."""
    try:
        comm = (process / "comm").read_text(errors="replace").strip()
        arguments = (process / "cmdline").read_bytes().split(b"\0")
    except OSError:
        return ""
    if _OURS in arguments:
        return "filterd"
    whole = os.path.basename(os.fsdecode(arguments[0]))  # noqa: PTH119 -- not a path of ours
    is_cut = len(comm) == _COMM_OCTETS and whole.startswith(comm)
    return "".join(filter(str.isprintable, whole if is_cut else comm))


def _user(uid: int) -> str:
    try:
        return pwd.getpwuid(uid).pw_name
    except KeyError:
        return str(uid)
