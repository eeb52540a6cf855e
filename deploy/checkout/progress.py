# SPDX-License-Identifier: Apache-2.0
"""The lines of a set-up: one a step, renewed in place on a terminal."""

from __future__ import annotations

import shutil
import threading
from typing import TYPE_CHECKING, TextIO

from filterd.base.clock import SystemClock

if TYPE_CHECKING:
    from collections.abc import Sequence

    from filterd.base.clock import Clock


class Progress:
    """Steps that have begun, and their lines."""

    def __init__(
        self,
        steps: Sequence[str],
        out: TextIO,
        *,
        terminal: bool,
        clock: Clock | None = None,
    ) -> None:
        self._number = {step: number for number, step in enumerate(steps, 1)}
        self._out, self._terminal = out, terminal
        self._clock = clock or SystemClock()
        self._began = dict[str, float]()
        self._latest = dict[str, str]()
        self._lock = threading.Lock()

    def begin(self, step: str, about: str = "") -> None:
        """Show that a step begins."""
        with self._lock:
            self._began[step] = self._clock.monotonic()
            self._latest[step] = about
            if not self._terminal:
                self._write(f"  {self._head(step)} {about}".rstrip().removesuffix(":") + " ...\n")
            self._renew()

    def update(self, step: str, about: str) -> None:
        """Show how far a step is; only a terminal shows it."""
        with self._lock:
            if self._latest.get(step, about) != about:
                self._latest[step] = about
                self._renew()

    def end(self, step: str, about: str) -> None:
        """Show what a step has done, and its seconds."""
        with self._lock:
            took_s = self._clock.monotonic() - self._began.pop(step, self._clock.monotonic())
            self._latest.pop(step, None)
            self._line(f"  {self._head(step)} {about}, {took_s:.1f} s")

    def say(self, line: str) -> None:
        """Show a line of its own."""
        with self._lock:
            self._line(line)

    def close(self) -> None:
        """Take away the line that is renewed."""
        with self._lock:
            self._latest.clear()
            if self._terminal:
                self._write("\r\x1b[K")

    def _head(self, step: str) -> str:
        return f"{self._number[step]}/{len(self._number)} {step}:"

    def _line(self, line: str) -> None:
        self._write(f"\r\x1b[K{line}\n" if self._terminal else f"{line}\n")
        self._renew()

    def _renew(self) -> None:
        if self._terminal and self._latest:
            parts = (
                f"{self._head(step)} {about}".rstrip().removesuffix(":")
                for step, about in self._latest.items()
            )
            width = shutil.get_terminal_size().columns - 1
            self._write(f"\r\x1b[K{('  ' + ' · '.join(parts))[:width]}")

    def _write(self, text: str) -> None:
        self._out.write(text)
        self._out.flush()
