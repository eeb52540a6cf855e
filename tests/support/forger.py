# SPDX-License-Identifier: Apache-2.0
"""An upstream whose questions a forger floods with answers, as a process.

``python -m tests.support.forger LOWEST PORTS IDS`` prints its port, then answers
every A question with 198.18.0.1 after a while. Until then it sends forged answers to
that question, with 198.18.0.66, to random ports from LOWEST on and with random IDs
below IDS: as an attacker that sees neither, but can send in the upstream's name and
knows each qname. At the end of its input it prints the number of forged answers.
"""

from __future__ import annotations

import random
import select
import socket
import sys
import time
from collections import deque
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

ROUND_TRIP_S = 0.02
FORGERIES_A_TURN = 20
_TURNS_BETWEEN_LOOKS = 50

_ANSWER = bytes.fromhex("c00c000100010000012c0004c61200")
_FLAGS_AND_COUNTS = bytes.fromhex("81800001000100000000")


def unconnected_ports() -> set[int]:
    """Return the UDP ports of others on this machine: unconnected sockets.

    The attacked sockets are connected and remain targets; a test that runs
    beside this one is left in peace.
    """
    found = set()
    for path in ("/proc/net/udp", "/proc/net/udp6"):
        for line in Path(path).read_text(encoding="ascii").splitlines()[1:]:
            local, remote = line.split()[1:3]
            if remote.endswith(":0000"):
                found.add(int(local.rpartition(":")[2], 16))
    return found


def answer(query: bytes, message_id: bytes, last_octet: int) -> bytes:
    """Return an answer to a query for an A record."""
    section = query[12 : query.index(b"\0", 12) + 5]
    return message_id + _FLAGS_AND_COUNTS + section + _ANSWER + bytes((last_octet,))


class Forger:
    """The server and the flood; one thread does both, so that neither stops the other."""

    def __init__(self, lowest: int, ports: int, ids: int) -> None:
        self._lowest, self._ports, self._ids = lowest, ports, ids
        self.socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4 << 20)
        self.socket.bind(("127.0.0.1", 0))
        self._others: set[int] = set()
        self._turns = 0
        self._waiting: deque[tuple[float, bytes, tuple[str, int]]] = deque()
        self.forged = 0

    def turn(self) -> None:
        """Take what has come, answer what has waited long enough, forge."""
        wait_s = 0.0 if self._waiting else 0.05
        if select.select([self.socket], [], [], wait_s)[0]:
            for query, address in self._arrived():
                self._waiting.append((_now() + ROUND_TRIP_S, query, address))
        while self._waiting and self._waiting[0][0] <= _now():
            _, query, address = self._waiting.popleft()
            self.socket.sendto(answer(query, query[:2], 1), address)
        self._forge()

    def _arrived(self) -> Iterator[tuple[bytes, tuple[str, int]]]:
        while True:
            try:
                yield self.socket.recvfrom(4096, socket.MSG_DONTWAIT)
            except BlockingIOError:
                return

    def _forge(self) -> None:
        if self._turns % _TURNS_BETWEEN_LOOKS == 0:
            self._others = unconnected_ports()
        self._turns += 1
        for _ in range(FORGERIES_A_TURN if self._waiting else 0):
            query = random.choice(self._waiting)[1]
            message_id = random.randrange(self._ids).to_bytes(2)
            port = self._lowest + random.randrange(self._ports)
            if port in self._others:
                continue
            try:
                self.socket.sendto(answer(query, message_id, 66), ("127.0.0.1", port))
            except ConnectionRefusedError:  # an earlier one found no listener
                continue
            self.forged += 1


def _now() -> float:
    return time.monotonic()  # noqa: TID251 -- an attacker has no clock of ours


def _say(number: int) -> None:
    sys.stdout.write(f"{number}\n")
    sys.stdout.flush()


def main() -> None:
    """Serve until the input ends."""
    forger = Forger(*map(int, sys.argv[1:4]))
    _say(forger.socket.getsockname()[1])
    while not select.select([sys.stdin], [], [], 0)[0]:
        forger.turn()
    _say(forger.forged)


if __name__ == "__main__":
    main()
