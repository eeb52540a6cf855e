# SPDX-License-Identifier: Apache-2.0
"""Two threads whose steps a test chooses: no sleeping and no luck."""

from __future__ import annotations

import sys
import threading
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable
    from types import FrameType, ModuleType

_WITHIN_S = 30.0
"""Only a test that fails waits so long."""


class Interleaving:
    """Lets one work happen in another thread, before a line of a first work.

    ``lock()`` returns locks to give to the code that is tested: the other work that has to wait
    for one lets the first go on. So each pair ends, whatever the locks are.
    """

    def __init__(self, module: ModuleType) -> None:
        self._file = module.__file__
        self._goes_on = threading.Event()

    def lock(self) -> Any:
        """Return a lock whose waiting is noticed."""
        return _Noticed(self._goes_on)

    def run(self, first: Callable[[], object], other: Callable[[], object], line: int) -> bool:
        """Do ``other`` before so many lines of ``first``; return whether it has so many."""
        thread = threading.Thread(target=self._until_the_end_of, args=(other,))
        self._goes_on.clear()
        left = line

        def lines(frame: FrameType, event: str, _: object) -> Any:
            nonlocal left
            if frame.f_code.co_filename != self._file:
                return None
            if event == "line":
                left -= 1
                if not left:
                    thread.start()
                    assert self._goes_on.wait(_WITHIN_S)
            return lines

        before = sys.gettrace()
        sys.settrace(lines)
        try:
            first()
        finally:
            sys.settrace(before)
        if left > 0:
            return False
        thread.join(_WITHIN_S)
        assert not thread.is_alive()
        return True

    def _until_the_end_of(self, work: Callable[[], object]) -> None:
        try:
            work()
        finally:
            self._goes_on.set()


class _Noticed:
    def __init__(self, waits: threading.Event) -> None:
        self._lock, self._waits = threading.Lock(), waits

    def __enter__(self) -> None:
        if not self._lock.acquire(blocking=False):
            self._waits.set()
            assert self._lock.acquire()

    def __exit__(self, *_: object) -> None:
        self._lock.release()
