# SPDX-License-Identifier: Apache-2.0
"""Two ways to start the child that compiles a site: afresh, and as a fork.

A fork has most of what it needs in memory already, and takes half the time; but only
a process with one thread may have one, for a lock that another thread holds would stay
locked in it for ever. So the daemon forks at its start, when everybody waits for it, and
from then on starts its children afresh, as commands do. Both kinds are bound in time by
this side, and in memory and CPU by themselves (``filterd.config.__main__``).
"""

from __future__ import annotations

import contextlib
import os
import select
import signal
import subprocess
import sys
import traceback
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple, NoReturn, TypeAlias

from filterd.privileges import of_a_child

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence

_STOP = (signal.SIGTERM, signal.SIGINT)

_NO_PLUGINS = {"PYDANTIC_DISABLE_PLUGINS": "__all__"}  # to look for some takes a tenth of the time


class Ended(NamedTuple):
    """How a child ended: its exit code, below zero for a signal, and what it wrote."""

    code: int
    output: bytes
    errors: bytes


Start: TypeAlias = "Callable[[Sequence[str], float], Ended]"
"""Runs the child with arguments, within so many seconds."""


def afresh(arguments: Sequence[str], limit_s: float) -> Ended:
    """Run ``filterd.config`` in an interpreter of its own; for every kind of process.

    Raises:
        TimeoutError: it took longer than ``limit_s`` and was ended.
        OSError: it cannot be started.
    """
    # -P: a file in the working directory must not stand in for a module.
    command = [sys.executable, "-P", "-s", "-m", "filterd.config", *arguments]
    try:
        done = subprocess.run(  # noqa: S603 -- our own interpreter and module, no shell
            command,
            env=_environment(),
            stdin=subprocess.DEVNULL,
            capture_output=True,
            timeout=limit_s,
            check=False,
            **of_a_child(),
        )
    except subprocess.TimeoutExpired:
        raise TimeoutError from None
    return Ended(done.returncode, done.stdout, done.stderr)


def forked(arguments: Sequence[str], limit_s: float) -> Ended:
    """Run the same in a fork of this process, which must have no other thread.

    Afresh, where the system refuses what a fork needs.

    Raises:
        TimeoutError: it took longer than ``limit_s`` and was ended.
        OSError: it cannot be started.
    """
    try:
        return _forked(arguments, limit_s)
    except TimeoutError:
        raise
    except OSError:
        return afresh(arguments, limit_s)


def _forked(arguments: Sequence[str], limit_s: float) -> Ended:
    with _memory_file("output") as output, _memory_file("errors") as errors:
        code = in_fork(lambda: _compile(arguments, output, errors), limit_s)
        return Ended(code, _all_of(output), _all_of(errors))


def in_fork(work: Callable[[], int], limit_s: float) -> int:
    """Do ``work`` in a fork of this process, which must have no other thread.

    Returns: what it returns, or how it ended: 1 for an error, which it tells on its
        standard error, below zero for a signal.

    Raises:
        TimeoutError: it took longer than ``limit_s`` and was ended.
        OSError: it cannot be started.
    """
    # A wish to stop waits until the child is known here, and deaf to it there.
    blocked = signal.pthread_sigmask(signal.SIG_BLOCK, _STOP)
    pid = 0
    try:
        pid = os.fork()
        if pid == 0:
            _be_the_child(work, blocked)
        signal.pthread_sigmask(signal.SIG_SETMASK, blocked)
        return _code_of(pid, limit_s)
    except BaseException:  # whatever ends the wait, a stop of the daemon included
        _end(pid)
        raise
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, blocked)


def _end(pid: int) -> None:
    """End a child that may have ended, and have been waited for."""
    if pid:
        with contextlib.suppress(ProcessLookupError, ChildProcessError):
            os.kill(pid, signal.SIGKILL)
            os.waitpid(pid, 0)


def _environment() -> dict[str, str]:
    """Return as little as the child needs; a checkout is found as an installed package is."""
    package = Path(__file__).resolve().parents[3]
    kept = {key: os.environ[key] for key in ("PATH", "PYTHONTZPATH") if key in os.environ}
    return {
        **kept,
        **_NO_PLUGINS,
        "PYTHONPATH": str(package),
        "PYTHONUTF8": "1",
        "PYTHONDONTWRITEBYTECODE": "1",
    }


@contextlib.contextmanager
def _memory_file(name: str) -> Iterator[int]:
    descriptor = os.memfd_create(name)
    try:
        yield descriptor
    finally:
        os.close(descriptor)


def _be_the_child(work: Callable[[], int], blocked: Iterable[int]) -> NoReturn:
    """Work, from the fork to the end of the process; ``blocked`` are the signals to leave so."""
    code = 1
    try:
        for number in _STOP:
            signal.signal(number, signal.SIG_DFL)
        signal.pthread_sigmask(signal.SIG_SETMASK, blocked)
        code = work()
        sys.stdout.flush()
    except BaseException:  # noqa: BLE001 -- the parent tells of it; nothing may get past the fork
        os.write(2, traceback.format_exc().encode())
    finally:
        os._exit(code)


def close_all_but_standard() -> None:
    """Let go of all files, the lock on the state folder too: only the parent may hold it."""
    os.closerange(3, os.sysconf("SC_OPEN_MAX"))


def _compile(arguments: Sequence[str], output: int, errors: int) -> int:
    os.dup2(os.open(os.devnull, os.O_RDONLY), 0)
    os.dup2(output, 1)
    os.dup2(errors, 2)
    close_all_but_standard()
    sys.stdout = open(1, "w", encoding="utf-8", closefd=False)  # noqa: SIM115 -- ends with it
    os.environ |= _NO_PLUGINS
    sys.dont_write_bytecode = True
    from filterd.config.__main__ import main  # noqa: PLC0415 -- never in the parent

    return main(list(arguments))


def _code_of(pid: int, limit_s: float) -> int:
    """Wait for a child and return its exit code.

    Raises:
        TimeoutError: it runs still.
    """
    ended, waiting = os.pidfd_open(pid), select.poll()
    try:
        waiting.register(ended, select.POLLIN)
        if not waiting.poll(1_000 * limit_s):
            raise TimeoutError
    finally:
        os.close(ended)
    return os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])


def _all_of(descriptor: int) -> bytes:
    os.lseek(descriptor, 0, os.SEEK_SET)
    with open(descriptor, "rb", closefd=False) as file:
        return file.read()
