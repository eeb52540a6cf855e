# SPDX-License-Identifier: Apache-2.0
"""Unpredictable numbers and source ports: IDs, ports, sockets, letter case.

All come from the operating system's random source and from nothing else. The
state of a generator of our own could be computed from enough of its numbers
(CVE-2025-40780).

Source ports (RFC 5452 §9.2, RFC 6056): the kernel would choose among 28,232
ports. Among all free ports a forger has twice as many to guess, and 100,000
queries on 33,334 sockets use 25,000 different ones.
"""

from __future__ import annotations

import errno
import os
import socket
from array import array
from pathlib import Path

_BLOCK_OCTETS = 4096


class RandomNumbers:
    """A source of random 16-bit numbers.

    They are fetched in blocks: a system call for each costs more. One source belongs to
    one event loop of one process: a copy in a forked process would return the same numbers.
    """

    __slots__ = ("_left",)

    def __init__(self) -> None:
        self._left = array("H")

    def uint16(self) -> int:
        """Return a number from 0 to 65535, each equally likely."""
        if not self._left:
            self._left = array("H", self.block())
        return self._left.pop()

    def block(self) -> bytes:
        """Return 2048 numbers that ``uint16`` does not return as well."""
        return os.urandom(_BLOCK_OCTETS)


LOWEST = 10_000
"""Below are the services of this machine, some of which may start later than filterd."""

RESERVED = Path("/proc/sys/net/ipv4/ip_local_reserved_ports")

_TRIES = 32
_LARGEST_FILE = 65_536
_LARGEST_MESSAGE = 4096
_MOST_EARLY = 16


def reserved_ports(path: Path = RESERVED) -> frozenset[int]:
    """Return the ports that the administrator has reserved (``8080,9000-9010``)."""
    try:
        with path.open(encoding="ascii", errors="replace") as file:
            text = file.read(_LARGEST_FILE)
    except OSError:
        return frozenset()
    ports: set[int] = set()
    for part in text.strip().split(","):
        first, _, last = part.partition("-")
        if first.isdecimal() and (last or first).isdecimal():
            ports.update(range(int(first), min(int(last or first), 65_535) + 1))
    return frozenset(ports)


class RandomPorts:
    """Opener of sockets on unpredictable ports."""

    def __init__(self, numbers: RandomNumbers, reserved: frozenset[int]) -> None:
        self._numbers, self._reserved = numbers, reserved

    def draw(self) -> int:
        """Return a port that may be used, each equally likely."""
        while True:
            port = self._numbers.uint16()
            if port >= LOWEST and port not in self._reserved:
                return port

    def connect(self, address: str, port: int) -> socket.socket:
        """Return a UDP socket that is connected to this server.

        Raises:
            OSError: there is no route to it, or no socket or port is available.
        """
        family = socket.AF_INET6 if ":" in address else socket.AF_INET
        opened = socket.socket(family, socket.SOCK_DGRAM | socket.SOCK_NONBLOCK)
        try:
            self._bind(opened)
            opened.connect((address, port))
            _forget_what_came_early(opened)
        except OSError:
            opened.close()
            raise
        return opened

    def _bind(self, opened: socket.socket) -> None:
        """Bind the socket to a free port."""
        for _ in range(_TRIES - 1):
            try:
                opened.bind(("", self.draw()))
            except OSError as error:
                if error.errno != errno.EADDRINUSE:
                    raise
            else:
                return
        opened.bind(("", self.draw()))


def _forget_what_came_early(opened: socket.socket) -> None:
    """Drop messages that arrived between ``bind`` and ``connect``; they stay queued.

    Raises:
        OSError: there were so many that this must be an attack.
    """
    for _ in range(_MOST_EARLY):
        try:
            opened.recv(_LARGEST_MESSAGE)
        except BlockingIOError:
            return
    raise OSError(errno.EBUSY, "a flood of messages on a port just opened")
