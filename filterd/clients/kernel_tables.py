# SPDX-License-Identifier: Apache-2.0
"""Read addresses, default routes and neighbours from the kernel itself.

A process that serves must not run a program for it: where the disk hangs or fails, none begins, and
a worker that does not know the network refuses the clients on its links. So it asks
the kernel itself, by rtnetlink(7): a request for a table (``NLM_F_DUMP``) is answered by
messages, one an entry, which have attributes::

    nlmsghdr: length, type ... | ifaddrmsg, rtmsg or ndmsg | rtattr: length, type | value | ...

Only what filterd reads of them is returned.
"""

from __future__ import annotations

import socket
import struct
from functools import partial
from typing import TYPE_CHECKING, Any

from filterd.clients.interfaces import IpCommand

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

_HEADER, _ATTRIBUTE = struct.Struct("=IHHII"), struct.Struct("=HH")
_ADDRESS, _ROUTE, _NEIGHBOUR = (
    struct.Struct("=BBBBI"),
    struct.Struct("=8BI"),
    struct.Struct("=BxxxiHBB"),
)
_NEXT_HOP = struct.Struct("=HBBi")
_GET_ADDRESSES, _GET_ROUTES, _GET_NEIGHBOURS = 22, 26, 30
_ASK_FOR_ALL, _IS_CHANGED_MEANWHILE = 0x301, 0x10
_ERROR, _DONE = 2, 3
_IFA_ADDRESS, _IFA_LOCAL = 1, 2
_RTA_OIF, _RTA_MULTIPATH, _CLONED = 4, 9, 0x200
_NDA_DST, _NDA_LLADDR = 1, 2
_ATTRIBUTE_NUMBER = 0x3FFF
"""Without the bits that say how a value is written."""
_STATES = {
    0x01: "INCOMPLETE",
    0x02: "REACHABLE",
    0x04: "STALE",
    0x08: "DELAY",
    0x10: "PROBE",
    0x20: "FAILED",
    0x40: "NOARP",
    0x80: "PERMANENT",
}
_FAMILIES = (socket.AF_INET, socket.AF_INET6)
_MOST_OCTETS = 1 << 16
_MOST_ENTRIES = 100_000
_WITHIN_S, _TRIES = 2.0, 3

_Entry = dict[str, Any]


class KernelTables(IpCommand):
    """Answers what ``ip`` is asked, without running it."""

    async def ask(self, *arguments: str) -> list[dict[str, Any]] | None:
        """Return what ``ip -j ARGUMENTS`` prints; None if the kernel refuses. No error."""
        return await self.answer(_QUESTIONS[arguments])


def _addresses() -> list[_Entry]:
    """Return the interfaces that have addresses."""
    found = dict[int, list[_Entry]]()
    for family, octets in _table(_GET_ADDRESSES, socket.AF_UNSPEC, _ADDRESS):
        of, length, _, _, index = _ADDRESS.unpack_from(octets)
        values = _attributes(octets[_ADDRESS.size :])
        other = values.get(_IFA_ADDRESS)
        own = values.get(_IFA_LOCAL, other)
        if own is None or family not in _FAMILIES:
            continue
        info = {"local": _text(of, own), "prefixlen": length}
        if other is not None and other != own:
            info["address"] = _text(of, other)
        found.setdefault(index, []).append(info)
    return [{"ifname": name, "addr_info": found[index]} for index, name in _named(found)]


def _default_routes(family: int) -> list[_Entry]:
    """Return the default routes of all tables, by their interfaces."""
    found = list[tuple[list[int], bool]]()
    for of, octets in _table(_GET_ROUTES, family, _ROUTE):
        _, destination_bits, *_, flags = _ROUTE.unpack_from(octets)
        if of != family or destination_bits or flags & _CLONED:
            continue
        values = _attributes(octets[_ROUTE.size :])
        if _RTA_OIF in values:
            found.append(([int.from_bytes(values[_RTA_OIF][:4], _ORDER)], False))
        elif _RTA_MULTIPATH in values:
            found.append((list(_next_hops(values[_RTA_MULTIPATH])), True))
    names = dict(_named({index for indexes, _ in found for index in indexes}))
    shown = list[_Entry]()
    for indexes, has_several in found:
        hops = [{"dev": names[index]} for index in indexes if index in names]
        shown += [{"dst": "default", "nexthops": hops}] if has_several else hops
    return shown


def _neighbours() -> list[_Entry]:
    """Return the entries of the neighbour table that have a MAC."""
    found = list[tuple[int, _Entry]]()
    for of, octets in _table(_GET_NEIGHBOURS, socket.AF_UNSPEC, _NEIGHBOUR):
        _, index, state, _, _ = _NEIGHBOUR.unpack_from(octets)
        values = _attributes(octets[_NEIGHBOUR.size :])
        if of in _FAMILIES and _NDA_DST in values and _NDA_LLADDR in values:
            states = [name for bit, name in _STATES.items() if state & bit]
            address, mac = _text(of, values[_NDA_DST]), values[_NDA_LLADDR].hex(":")
            found.append((index, {"dst": address, "lladdr": mac, "state": states or ["NONE"]}))
    names = dict(_named({index for index, _ in found}))
    return [{**entry, "dev": names[index]} for index, entry in found if index in names]


_ORDER: Any = "little" if struct.pack("=H", 1) == b"\1\0" else "big"
_QUESTIONS: dict[tuple[str, ...], Callable[[], list[_Entry]]] = {
    ("address", "show"): _addresses,
    ("-4", "route", "show", "default", "table", "all"): partial(_default_routes, socket.AF_INET),
    ("-6", "route", "show", "default", "table", "all"): partial(_default_routes, socket.AF_INET6),
    ("neigh", "show"): _neighbours,
}


def _table(kind: int, family: int, head: struct.Struct) -> list[tuple[int, bytes]]:
    """Return the entries of a table, each with its family.

    Raises:
        OSError: the kernel refuses, or does not answer in time.
    """
    for _ in range(_TRIES):
        entries, is_whole = _asked(kind, family, head)
        if is_whole:
            break
    return entries


def _asked(kind: int, family: int, head: struct.Struct) -> tuple[list[tuple[int, bytes]], bool]:
    """Return the entries of a table, and whether none changed meanwhile."""
    entries, is_whole = list[tuple[int, bytes]](), True
    with socket.socket(socket.AF_NETLINK, socket.SOCK_RAW | socket.SOCK_CLOEXEC) as asking:
        asking.settimeout(_WITHIN_S)
        content = bytes((family,)).ljust(head.size, b"\0")
        length = _HEADER.size + len(content)
        asking.send(_HEADER.pack(length, kind, _ASK_FOR_ALL, 1, 0) + content)
        while True:
            for of, flags, octets in _messages(asking.recv(_MOST_OCTETS)):
                is_whole = is_whole and not flags & _IS_CHANGED_MEANWHILE
                if of == _ERROR:
                    raise OSError(-int.from_bytes(octets[:4], _ORDER, signed=True), "netlink")
                if of == _DONE or len(entries) >= _MOST_ENTRIES:
                    return entries, is_whole
                if len(octets) >= head.size:
                    entries.append((octets[0], octets))


def _messages(datagram: bytes) -> Iterator[tuple[int, int, bytes]]:
    """Yield the type, the flags and the content of each message."""
    at = 0
    while at + _HEADER.size <= len(datagram):
        length, of, flags, _, _ = _HEADER.unpack_from(datagram, at)
        if length < _HEADER.size:
            return
        yield of, flags, datagram[at + _HEADER.size : at + length]
        at += _aligned(length)


def _attributes(octets: bytes) -> dict[int, bytes]:
    """Return the attributes of a message by their numbers."""
    found, at = dict[int, bytes](), 0
    while at + _ATTRIBUTE.size <= len(octets):
        length, number = _ATTRIBUTE.unpack_from(octets, at)
        if length < _ATTRIBUTE.size:
            break
        found[number & _ATTRIBUTE_NUMBER] = octets[at + _ATTRIBUTE.size : at + length]
        at += _aligned(length)
    return found


def _next_hops(octets: bytes) -> Iterator[int]:
    """Yield the interfaces of a route that leads several ways."""
    at = 0
    while at + _NEXT_HOP.size <= len(octets):
        length, _, _, index = _NEXT_HOP.unpack_from(octets, at)
        if length < _NEXT_HOP.size:
            return
        yield index
        at += _aligned(length)


def _named(indexes: Any) -> Iterator[tuple[int, str]]:
    """Yield the interfaces of these numbers that are still there, with their names."""
    for index in indexes:
        try:
            yield index, socket.if_indextoname(index)
        except (OSError, OverflowError):
            continue


def _text(family: int, address: bytes) -> str:
    try:
        return socket.inet_ntop(family, address)
    except ValueError:  # of another length
        return ""


def _aligned(length: int) -> int:
    return length + 3 & ~3
