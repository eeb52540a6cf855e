# SPDX-License-Identifier: Apache-2.0
"""A terminal of 80 columns in which a command runs, and a person that waits for each prompt."""

from __future__ import annotations

import contextlib
import fcntl
import os
import pty
import re
import select
import signal
import struct
import termios
from typing import TYPE_CHECKING

from tests.support.commands import ROOT, environment
from tests.support.processes import state_of
from tests.support.waiting import until

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

CTRL_C = "\x03"
_PROMPT = re.compile(r"(?:>|\]) $")
_CONTROLS = re.compile(r"\x1b\[[0-9;?]*[A-Za-z]|\r")
_PATIENCE_S = 60.0
_MOST_LINES = 40


class Terminal:
    """One run of a command.

    Attributes:
        text: what it has shown, without control sequences.
        typed: the lines that were typed.
        code: its exit code, at the end.
    """

    def __init__(self, words: Sequence[str]) -> None:
        self.text, self.typed, self.code = "", list[str](), -1
        self._process, self._end = pty.fork()
        if self._process == 0:
            signal.signal(signal.SIGINT, signal.SIG_DFL)  # else a run in the background ignores it
            os.chdir(ROOT)
            os.execvpe(words[0], list(words), environment(TERM="xterm"))
        fcntl.ioctl(self._end, termios.TIOCSWINSZ, struct.pack("HHHH", 40, 80, 0, 0))

    def answer(self, line_for: Callable[[str], str]) -> None:
        """Type a line at each prompt, by what stands above it, until the command ends."""
        fresh = ""
        while shown := self._read():
            fresh += shown
            if _PROMPT.search(fresh):
                line = line_for(fresh)
                self.typed.append(line)
                assert len(self.typed) < _MOST_LINES, self.text
                self._type(line if line == CTRL_C else f"{line}\r")
                fresh = ""
        self._wait()

    def press(self, keys: str, *, after: str) -> None:
        """Type keys once a text was shown, and wait for the command to end."""
        while after not in self.text:
            assert self._read(), self.text
        self._type(keys)
        while self._read():
            pass
        self._wait()

    def _type(self, keys: str) -> None:
        """Type once it reads: an interrupt just before that is noticed at the next key only."""
        until(lambda: state_of(self._process) == "S", "that it reads")
        os.write(self._end, keys.encode())

    def _wait(self) -> None:
        self.code = os.waitstatus_to_exitcode(os.waitpid(self._process, 0)[1])
        os.close(self._end)

    def _read(self) -> str:
        """Return what comes next; nothing at the end."""
        ready, _, _ = select.select([self._end], [], [], _PATIENCE_S)
        assert ready, self.text
        shown = b""
        with contextlib.suppress(OSError):  # the other end is closed
            shown = os.read(self._end, 65_536)
        text = _CONTROLS.sub("", shown.decode(errors="replace"))
        self.text += text
        return text or ("\0" if shown else "")
