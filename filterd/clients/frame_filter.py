# SPDX-License-Identifier: Apache-2.0
"""Filter of the sockets: questions in frames of another device are dropped.

The neighbour table says where an answer goes; the **frame** of a question says who has sent it.
A pupil that claims a teacher's MAC by ARP or NDP goes on sending frames of its own MAC. So the
sockets get a program for the kernel (classic BPF, socket(7) ``SO_ATTACH_FILTER``; needs no right,
but for TCP on some kernels) with the addresses of devices that are identified by MAC, and of each
the MAC: what comes from such an address in a frame of another MAC is dropped before it reaches the
socket. Unlike a table that is read once a second this leaves no moment between a claim and a
question. A TCP connection keeps the program that the listening socket had when it came.

::

    question --> IP source in the list? --no--> socket
                          |yes
                          v
                 source MAC of its frame is the one in the list? --no--> dropped
                          |yes
                          v
                        socket

An entry counts ``settle_s`` after it stands: what waited in the socket before is answered then.
It stays ``_STAYS_S`` after its device is no longer identified, because other
workers have the same sockets and may believe it a moment longer.
"""

from __future__ import annotations

import ctypes
import logging
import socket
import struct
from functools import cache, lru_cache
from math import inf
from typing import TYPE_CHECKING, NamedTuple

from filterd.clients.neighbours import Place
from filterd.texts.i18n import refused

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

SETTLE_S, SETTLE_SHARED_S = 0.25, 2.0
"""With one worker, and with several: each looks at the network once a second."""

_STAYS_S = 3.0

_SO_ATTACH_FILTER = 26
_MOST_INSTRUCTIONS = 4_096
_NET, _LL, _INTERFACE = -0x100000, -0x200000, -0x1000 + 8
"""Offsets in a packet: its IP header, its frame, and the index of its interface (filter.h)."""
_LD_IMM, _LDX_IMM, _LD_MEM, _LDX_MEM, _ST = 0x00, 0x01, 0x60, 0x61, 0x02
_LD_WORD, _LD_HALF, _LD_OCTET = 0x20, 0x28, 0x30
_SHIFT, _JUMP, _IF_EQUAL, _IF_EQUAL_X, _RETURN = 0x74, 0x05, 0x15, 0x1D, 0x06
_ACCEPT, _DROP = 0xFFFF_FFFF, 0
_OCTETS = 8
"""Of an instruction, ``struct sock_filter``."""

_logger = logging.getLogger("filterd.clients")


class _Instruction(NamedTuple):
    code: int
    value: int = 0
    if_true: int = 0
    if_false: int = 0

    def packed(self) -> bytes:
        """Return it as ``struct sock_filter``."""
        return struct.pack(
            "=HBBI", self.code, self.if_true, self.if_false, self.value & 0xFFFF_FFFF
        )


def program(entries: Iterable[tuple[Place, str]], most: int = _MOST_INSTRUCTIONS) -> bytes:
    """Return the program that keeps addresses to their MACs, as many as fit.

    Args:
        entries: places and their MACs, the most important first. A link-local address is that
            of its interface; others are kept on all interfaces.
        most: how many instructions it may have.
    """
    return _assembled(_fitting(entries, most))


def _fitting(entries: Iterable[tuple[Place, str]], most: int) -> list[tuple[Place, bytes]]:
    """Return the places of the first entries that fit, and their parts of a program."""
    found, left = list[tuple[Place, bytes]](), most - _FRAME_INSTRUCTIONS
    index_of = cache(_index_of)  # of this moment
    for place, mac in entries:
        address, interface = place
        is_of_link = address.version == 6 and address.is_link_local
        part = _part(address.packed, mac, index_of(interface) if is_of_link else 0)
        left -= len(part) // _OCTETS
        if left < 0:
            break
        found.append((place, part))
    return found


@lru_cache(_MOST_INSTRUCTIONS)  # most of them are the same a second later
def _part(address: bytes, mac: str, interface: int) -> bytes:
    """Return the part for one address, on one interface or on all (0).

    Before it the accumulator has the last word of the packet's source. Its jump leads to the
    end; ``_assembled`` sets how far.
    """
    words = struct.unpack(f">{len(address) // 4}I", address)
    octets = bytes.fromhex(mac.replace(":", ""))
    compare = [_Instruction(_LDX_IMM, int.from_bytes(octets[:4]))]
    compare += [_Instruction(_LD_IMM, int.from_bytes(octets[4:])), _Instruction(_JUMP)]
    rest = [(_Instruction(_LD_MEM, at), words[at]) for at in range(len(words) - 1)]
    if interface:
        rest.append((_Instruction(_LD_WORD, _INTERFACE), interface))
    left = 2 * len(rest) + len(compare)
    found = [_Instruction(_IF_EQUAL, words[-1], 0, left + bool(rest))]
    for load, word in rest:
        left -= 2
        found += [load, _Instruction(_IF_EQUAL, word, 0, left)]
    found += compare
    if rest:  # the accumulator is another one now: the next part compares the last word again
        found.append(_Instruction(_LD_MEM, len(words) - 1))
    return _packed(found)


def _index_of(interface: str) -> int:
    """Return the index of an interface; one that no packet has where it is gone."""
    try:
        return socket.if_nametoindex(interface)
    except OSError:
        return 0xFFFF_FFFF


def _packed(instructions: Iterable[_Instruction]) -> bytes:
    return b"".join(map(_Instruction.packed, instructions))


_ACCEPTS = _Instruction(_RETURN, _ACCEPT)
_FROM_IPV4 = _packed([_Instruction(_LD_WORD, _NET + 12)])
_FROM_IPV6 = _packed(
    one
    for word in range(4)
    for one in (_Instruction(_LD_WORD, _NET + 8 + 4 * word), _Instruction(_ST, word))
)
_COMPARES = _packed(
    [
        _Instruction(_ST, 4),
        _Instruction(_LD_WORD, _LL + 6),
        _Instruction(_IF_EQUAL_X, 0, 0, 4),
        _Instruction(_LDX_MEM, 4),
        _Instruction(_LD_HALF, _LL + 10),
        _Instruction(_IF_EQUAL_X, 0, 0, 1),
        _ACCEPTS,
        _Instruction(_RETURN, _DROP),
    ]
)


def _assembled(parts: Iterable[tuple[Place, bytes]]) -> bytes:
    """Return a program of parts: which family, then each address, then the MAC."""
    of_ipv4, of_ipv6 = bytearray(_FROM_IPV4), bytearray(_FROM_IPV6)
    for (address, _), part in parts:
        (of_ipv4 if address.version == 4 else of_ipv6).extend(part)
    of_ipv4 += _ACCEPTS.packed()
    of_ipv6 += _ACCEPTS.packed()
    code = bytearray(
        _packed(
            [
                _Instruction(_LD_OCTET, _NET),
                _Instruction(_SHIFT, 4),
                _Instruction(_IF_EQUAL, 4, 0, 1),
                _Instruction(_JUMP, 3),
                _Instruction(_IF_EQUAL, 6, 0, 1),
                _Instruction(_JUMP, 1 + len(of_ipv4) // _OCTETS),
                _ACCEPTS,
            ]
        )
    )
    begins, jump = len(code), struct.pack("=H", _JUMP)
    code += of_ipv4 + of_ipv6
    end = len(code) // _OCTETS
    for at in range(begins, len(code), _OCTETS):
        if code.startswith(jump, at):
            struct.pack_into("=I", code, at + 4, end - at // _OCTETS - 1)
    return bytes(code + _COMPARES)


_FRAME_INSTRUCTIONS = len(_assembled(())) // _OCTETS


def attach(opened: socket.socket, code: bytes) -> None:
    """Have a socket take only what a program accepts.

    Raises:
        OSError: the kernel refuses.
    """
    kept = ctypes.create_string_buffer(code)
    head = struct.pack("@HP", len(code) // _OCTETS, ctypes.addressof(kept))
    opened.setsockopt(socket.SOL_SOCKET, _SO_ATTACH_FILTER, head)


class _HeldAddress(NamedTuple):
    """An address that is kept to a MAC; monotonic times."""

    mac: str
    counts_from: float
    until: float = inf


class FrameFilter:
    """The filter of the sockets of one worker.

    Attributes:
        listed: the MACs by which a device may be identified, each with its rank; where not all
            fit into a program, those of a low one come first.
        settle_s: after how long a new entry counts; 0 while nothing is answered yet.
        works: whether the kernel takes programs.
        is_whole: whether it takes them for all the sockets. Where it does not, a question by TCP
            may be in any frame, and what a place claims decides, as without a filter.
    """

    def __init__(self, sockets: Iterable[socket.socket]) -> None:
        self.listed: Mapping[str, int] = {}
        self.settle_s = 0.0
        self.works = self.is_whole = True
        self._sockets = tuple(sockets)
        self._entries: dict[Place, _HeldAddress] = {}
        self._attached = b""
        self._room = _MOST_INSTRUCTIONS

    def hold(self, wanted: Sequence[tuple[Place, str]], now: float) -> None:
        """Keep these addresses to their MACs.

        Args:
            wanted: places and MACs, the most important first.
            now: monotonic.
        """
        entries = dict[Place, _HeldAddress]()
        for place, mac in wanted:
            before = self._entries.get(place)
            if before is not None and before.mac != mac and before.until > now:
                entries[place] = before._replace(until=min(before.until, now + _STAYS_S))
            elif before is not None and before.mac == mac:
                entries[place] = before._replace(until=inf)
            else:
                entries[place] = _HeldAddress(mac, now + self.settle_s)
        for place, before in self._entries.items():
            if place not in entries and before.until > now:
                entries[place] = before._replace(until=min(before.until, now + _STAYS_S))
        self._entries = self._attach(entries)

    def covers(self, place: Place, mac: str, now: float) -> bool:
        """Return whether questions from a place come in frames of this MAC only."""
        entry = self._entries.get(place)
        return entry is not None and entry.mac == mac and entry.counts_from <= now < entry.until

    def has(self, place: Place) -> bool:
        """Return whether a place has an entry; it may be too new, or of another MAC."""
        return place in self._entries

    def next_at(self, now: float) -> float:
        """Return when an entry begins to count, or ends; infinite for never."""
        times = [entry.counts_from for entry in self._entries.values() if entry.counts_from > now]
        times += [entry.until for entry in self._entries.values()]
        return min(times, default=inf)

    def _attach(self, entries: dict[Place, _HeldAddress]) -> dict[Place, _HeldAddress]:
        """Attach a program of these entries; return those that fit, the first ones."""
        held = [(place, entry.mac) for place, entry in entries.items()]
        while self.works:
            fitting = _fitting(held, self._room)
            kept = dict(list(entries.items())[: len(fitting)])
            code = _assembled(fitting)
            try:
                if code != self._attached:
                    for opened in self._sockets:
                        attach(opened, code)
            except PermissionError as error:
                if not self._without_streams(error):
                    return {}
                continue
            except OSError as error:
                if fitting:  # the kernel's memory for it has a limit: net.core.optmem_max
                    self._room = len(code) // _OCTETS * 7 // 8
                    continue
                self.works = False
                _logger.warning(
                    "the kernel does not compare MACs of questions (%s)", refused(error)
                )
                return {}
            self._attached = code
            return kept
        return {}

    def _without_streams(self, error: PermissionError) -> bool:
        """Leave out the sockets of TCP; return whether others are left.

        Some kernels take programs for them from privileged processes only.
        """
        others = tuple(one for one in self._sockets if one.type != socket.SOCK_STREAM)
        has_less = len(others) < len(self._sockets)
        self._sockets, self.is_whole = others, False
        if not (has_less and others):
            self.works = False
            _logger.warning("the kernel does not compare MACs of questions (%s)", refused(error))
        return self.works
