# SPDX-License-Identifier: Apache-2.0
"""The page of memory that all processes of a daemon share.

The supervisor makes it before it forks, so that nothing has to be found or
opened. Every field is one aligned word of eight octets with one writer, which
the processor stores and loads whole; nothing here needs a lock.

| word        | what                                      | written by    |
| ----------- | ----------------------------------------- | ------------- |
| 0           | the epoch in force: counts activations    | the manager   |
| 1           | which index file has been verified        | its verifier  |
| 2           | the last epoch that was prepared          | the manager   |
| 3           | the lead of policy over monotonic time    | the manager   |
| 4           | the Unix time that it is at least         | the manager   |
| 5 + 2 n     | heartbeats of process n                   | process n     |
| 6 + 2 n     | the process ID under which n is ready     | process n     |

Words 3 and 4 are numbers of IEEE 754, which the first process writes before it forks.
"""

from __future__ import annotations

import hashlib
import mmap
import secrets
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import os

_OCTETS = 4096
_EPOCH, _VERIFIED, _PREPARED, _LEAD, _FLOOR, _FIRST_PROCESS = 0, 1, 2, 3, 4, 5


class SharedPage:
    """The words, by name, and a secret that only processes of this daemon know."""

    def __init__(self) -> None:
        self.secret = secrets.token_bytes(16)
        self._memory = mmap.mmap(-1, _OCTETS)  # anonymous and shared: children see it
        self._words: memoryview[int] = memoryview(self._memory).cast("Q")
        self._numbers: memoryview[float] = memoryview(self._memory).cast("d")

    @property
    def epoch(self) -> int:
        """How many times something was put in force; moving it is the commit point."""
        return self._words[_EPOCH]

    @epoch.setter
    def epoch(self, value: int) -> None:
        self._words[_EPOCH] = value

    @property
    def epoch_word(self) -> memoryview[int]:
        """The word of the epoch, for code that reads it often."""
        return self._words[_EPOCH : _EPOCH + 1]

    @property
    def lead_s(self) -> float:
        """What policy time leads monotonic time by; 0 where the machine's clock is believed."""
        return self._numbers[_LEAD]

    @lead_s.setter
    def lead_s(self, value: float) -> None:
        self._numbers[_LEAD] = value

    @property
    def lead_word(self) -> memoryview[float]:
        """The word of ``lead_s``, for code that reads it often."""
        return self._numbers[_LEAD : _LEAD + 1]

    @property
    def floor(self) -> float:
        """The Unix time that it is at least, as far as is known."""
        return self._numbers[_FLOOR]

    @floor.setter
    def floor(self, value: float) -> None:
        self._numbers[_FLOOR] = value

    @property
    def is_undecided(self) -> bool:
        """Whether an epoch was prepared and has not been put in force."""
        return self._words[_PREPARED] > self._words[_EPOCH]

    def next_epoch(self) -> int:
        """Return an epoch that was never prepared before, so that late results match no other."""
        self._words[_PREPARED] += 1
        return self._words[_PREPARED]

    def is_verified(self, index: os.stat_result) -> bool:
        """Return whether a process of this daemon has verified this very file."""
        return self._words[_VERIFIED] == _mark(index)

    def note_verified(self, index: os.stat_result) -> None:
        """Spare the others the verification of this file."""
        self._words[_VERIFIED] = _mark(index)

    def beat(self, process: int) -> None:
        """Show that process number ``process`` gets to do what it should."""
        self._words[_FIRST_PROCESS + 2 * process] += 1

    def beats(self, process: int) -> int:
        """Return how many times it has."""
        return self._words[_FIRST_PROCESS + 2 * process]

    def note_ready(self, process: int, pid: int) -> None:
        """Show that process number ``process`` serves, under this process ID."""
        self._words[_FIRST_PROCESS + 2 * process + 1] = pid

    def is_ready(self, process: int, pid: int) -> bool:
        """Return whether the process that was started as ``pid`` serves."""
        return 0 < pid == self._words[_FIRST_PROCESS + 2 * process + 1]


def _mark(index: os.stat_result) -> int:
    """Name a file as it is now in one word: replaced or written to, it has another name."""
    facts = (index.st_dev, index.st_ino, index.st_size, index.st_mtime_ns)
    return int.from_bytes(hashlib.blake2b(repr(facts).encode(), digest_size=8).digest())
