# SPDX-License-Identifier: Apache-2.0
"""Child processes of a set-up: none outlives it, and none writes on the terminal.

Each has a session of its own, so that Ctrl-C reaches the set-up alone, which ends them all. They
inherit the lock of the set-up: where it is killed, the next one waits until they are gone too.
"""

from __future__ import annotations

import contextlib
import os
import re
import signal
import subprocess
import threading
from typing import TYPE_CHECKING

from deploy.checkout.facts import ROOT

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from pathlib import Path

_NOT_HANDED_ON = re.compile(
    r"PYTHON(PATH|HOME|DONTWRITEBYTECODE|INSPECT|SAFEPATH|STARTUP|PYCACHEPREFIX)|VIRTUAL_ENV"
    r"|__PYVENV_LAUNCHER__|PIP_(TARGET|PREFIX|ROOT|REQUIRE_VIRTUALENV|REQUIREMENT)|M(AKE)?FLAGS"
    r"|FILTERD_(PURE|REQUIRE_NATIVE)"
)
_ENDS_WITHIN_S = 3.0


class StepError(Exception):
    """A step failed; one sentence with a remedy."""


class EndedError(Exception):
    """The set-up is being ended."""


class Children:
    """The child processes that run now."""

    def __init__(self, inherited: Sequence[int] = ()) -> None:
        self._inherited = tuple(inherited)
        self._running = set[subprocess.Popen[str]]()
        self._lock = threading.Lock()
        self._ended = False

    def run(
        self,
        words: Sequence[str | Path],
        *,
        folder: Path = ROOT,
        more: Mapping[str, str] | None = None,
        on_line: Callable[[str], None] = lambda _: None,
        given: str = "",
    ) -> tuple[int, list[str]]:
        """Run a command; return its exit code, and the lines that it wrote.

        Args:
            words: the command.
            folder: where it runs.
            more: variables of its environment.
            on_line: is called with each line as it comes.
            given: what it reads.

        Raises:
            EndedError: the set-up is being ended.
        """
        with self._lock:
            if self._ended:
                raise EndedError
            child = subprocess.Popen(  # noqa: S603 -- no shell
                [str(word) for word in words],
                cwd=folder,
                env=clean_environment(os.environ, more or {}),
                stdin=subprocess.PIPE if given else subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=subprocess.STDOUT,
                encoding="utf-8",
                errors="surrogateescape",
                start_new_session=True,
                pass_fds=self._inherited,
            )
            self._running.add(child)
        lines = []
        try:
            if child.stdin is not None:
                with contextlib.suppress(OSError):
                    child.stdin.write(given)
                    child.stdin.close()
            assert child.stdout is not None
            with child.stdout:
                for line in child.stdout:
                    lines.append(line.rstrip("\n"))
                    on_line(lines[-1])
            code = child.wait()
        finally:
            with self._lock:
                self._running.discard(child)
                if child.poll() is None:
                    _end(child, signal.SIGKILL)
        if self._ended:
            raise EndedError
        return code, lines

    def must(self, words: Sequence[str | Path], what: str, **how: object) -> list[str]:
        """Run a command that must succeed; return the lines that it wrote.

        Raises:
            StepError: it failed; with its last line.
        """
        code, lines = self.run(words, **how)  # type: ignore[arg-type]
        if code != 0:
            last = [line for line in lines if line.strip()][-1:] or [f"exit code {code}"]
            raise StepError(f"{what}: {last[0].strip()}")
        return lines

    def end_all(self) -> None:
        """End all that run, and start none any more."""
        with self._lock:
            self._ended = True
            running = list(self._running)
        for child in running:
            _end(child, signal.SIGTERM)
        for child in running:
            try:
                child.wait(_ENDS_WITHIN_S)
            except subprocess.TimeoutExpired:
                _end(child, signal.SIGKILL)


def _end(child: subprocess.Popen[str], number: int) -> None:
    """Send a signal to a child and all of its session."""
    with contextlib.suppress(OSError):
        os.killpg(child.pid, number)


def clean_environment(given: Mapping[str, str], more: Mapping[str, str]) -> dict[str, str]:
    """Return the variables of a child: without what would lead pip or Python elsewhere."""
    kept = {name: value for name, value in given.items() if not _NOT_HANDED_ON.fullmatch(name)}
    fixed = {"PYTHONUNBUFFERED": "1", "PYTHONWARNINGS": "ignore", "PIP_NO_INPUT": "1"}
    return {**kept, **fixed, "PIP_USER": "0", "LC_ALL": "C.UTF-8", **more}
