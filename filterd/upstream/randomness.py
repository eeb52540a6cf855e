# SPDX-License-Identifier: Apache-2.0
"""Numbers that nobody can foresee: message IDs, ports, which socket, letter case.

They come from the operating system's generator and from nothing else. Whoever
computes them from a state of his own gives that state away to who collects
enough of them (CVE-2025-40780).
"""

from __future__ import annotations

import os
from array import array

_BLOCK_OCTETS = 4096


class RandomNumbers:
    """Numbers of 16 bits. They are fetched in blocks: a system call for each costs more.

    One belongs to one event loop of one process: a copy in a forked process
    would say the same numbers.
    """

    __slots__ = ("_left",)

    def __init__(self) -> None:
        self._left = array("H")

    def uint16(self) -> int:
        """Return a number from 0 to 65535, each as likely."""
        if not self._left:
            self._left = array("H", self.block())
        return self._left.pop()

    def block(self) -> bytes:
        """Return 2048 numbers that ``uint16`` does not return too."""
        return os.urandom(_BLOCK_OCTETS)
