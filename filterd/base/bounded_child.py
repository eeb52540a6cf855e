# SPDX-License-Identifier: Apache-2.0
"""Run a child process within bounds of time, output, memory and CPU.

A child does what could take too much: it compiles what a person wrote, or loads what a network
brought. This side bounds its time and what it writes; the child bounds its memory and CPU
itself, before it reads anything (``bound``), and ends with its parent (``end_with_parent``).

There are two ways to start one. ``run`` starts a program afresh, from every kind of process; by
``ask`` and ``answer`` the two ends exchange a request and an answer or an error, as JSON.
``run_forked`` forks: most of what it needs is in memory already, so it takes half the time; but
only a process with one thread may do it, for a lock that another thread holds would stay locked
in the child for ever. The standard library does it all, because the serving process loads this.
"""

from __future__ import annotations

import contextlib
import json
import os
import resource
import select
import selectors
import signal
import subprocess
import sys
import traceback
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple, NoReturn

from filterd.base.clock import SystemClock
from filterd.base.errors import FilterdError, StoreError, from_plain, to_plain
from filterd.base.privileges import A_COMPILER, end_sooner, of_a_child
from filterd.texts.i18n import Sentence, quoted, refused, say

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
    from typing import IO, Any

    from filterd.base.clock import Clock

_STOP = (signal.SIGTERM, signal.SIGINT)
_KEPT = ("PATH", "PYTHONTZPATH")
"""What of the environment a child needs."""
_MOST_ERRORS_OCTETS = 1 << 14
_LAST_CHARACTERS = 200
_PR_SET_PDEATHSIG = 1  # linux/prctl.h
_LARGEST_REQUEST = 64 << 20
_BOUNDED = (
    "import runpy, sys; from filterd.base import bounded_child; bounded_child.bound();"
    " bounded_child.end_with_parent();"
    " runpy.run_module(sys.argv.pop(1), run_name='__main__', alter_sys=True)"
)


class Ended(NamedTuple):
    """How a child ended.

    Attributes:
        code: its exit code, below zero for a signal.
        output: what it wrote; nothing where that was too much.
        errors: the end of what it wrote on its standard error.
        is_too_long: it was ended because it wrote too much.
    """

    code: int
    output: bytes
    errors: bytes
    is_too_long: bool = False

    @property
    def last_words(self) -> Sentence:
        """The last line of its errors, or how it ended if there is none.

        The line is shortened, and has no control characters. SIGKILL comes from
        the kernel: memory is short, or the limit of processor time is reached.
        """
        last = self.errors.decode(errors="replace").strip().rpartition("\n")[2]
        shown = "".join(one if one.isprintable() else ascii(one)[1:-1] for one in last)
        status = say("exit status {status}", status=self.code)
        if self.code == -signal.SIGKILL and not self.is_too_long:
            status = say("the kernel ended it: there is too little memory, or it took too long")
        return quoted(shown[:_LAST_CHARACTERS]) if shown else status


def not_started(error: OSError) -> StoreError:
    """Return the error of an interpreter that the system does not start."""
    return StoreError(
        say(
            "{executable}: cannot be started: {why}",
            executable=sys.executable,
            why=refused(error),
        )
    )


def command(module: str, *arguments: str) -> list[str]:
    """Return what runs a module of ours in an interpreter of its own."""
    # -P: a file in the working directory must not stand in for a module.
    return [sys.executable, "-P", "-s", "-m", module, *arguments]


def bounded_command(module: str, *arguments: str) -> list[str]:
    """Return what runs a module of ours that serves, ended sooner than its caller.

    The kernel ends it with the thread that waits for it, too.
    """
    return [sys.executable, "-P", "-c", _BOUNDED, module, *arguments]


def environment(**more: str) -> dict[str, str]:
    """Return the environment of a child: as little as it needs.

    With it, a checkout is found as an installed package is.
    """
    package = Path(__file__).resolve().parents[2]
    kept = {key: os.environ[key] for key in _KEPT if key in os.environ}
    ours = {"PYTHONPATH": str(package), "PYTHONUTF8": "1", "PYTHONDONTWRITEBYTECODE": "1"}
    return {**kept, **ours, **more}


def started(words: Sequence[str], **options: Any) -> subprocess.Popen[bytes]:
    """Start a program.

    Args:
        words: the program and its arguments, all chosen by filterd; no shell sees them.
        options: of ``subprocess.Popen``.

    Raises:
        OSError: it cannot be started.
    """
    return subprocess.Popen(words, **options)  # noqa: S603 -- see ``words``


def run(
    words: Sequence[str],
    *,
    limit_s: float,
    most_octets: int,
    request: bytes = b"",
    given: Mapping[str, str] | None = None,
    clock: Clock | None = None,
) -> Ended:
    """Run a program to its end, or end it.

    Args:
        words: the program and its arguments; no shell sees them.
        limit_s: how long it may take.
        most_octets: of its output; one that writes more is ended.
        request: what it reads on its standard input.
        given: its environment, if it is not ``environment()``.
        clock: for the time limit.

    Raises:
        TimeoutError: it took longer and was ended.
        OSError: it cannot be started.
    """
    clock = clock or SystemClock()
    with started(
        words,
        env=environment() if given is None else given,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        **of_a_child(),
    ) as child:
        try:
            return _attend(child, request, clock, clock.monotonic() + limit_s, most_octets)
        finally:
            child.kill()


def run_forked(work: Callable[[], int], *, limit_s: float, most_octets: int) -> Ended:
    """Do ``work`` in a fork of this process, which must have no other thread.

    Its standard output and error are kept; all other files it lets go of.

    Raises:
        TimeoutError: it took longer and was ended.
        OSError: it cannot be started.
    """
    with _memory_file("output") as output, _memory_file("errors") as errors:

        def apart() -> int:
            os.dup2(os.open(os.devnull, os.O_RDONLY), 0)
            os.dup2(output, 1)
            os.dup2(errors, 2)
            close_all_but_standard()
            sys.stdout = open(1, "w", encoding="utf-8", closefd=False)  # noqa: SIM115 -- see above
            return work()

        code = in_fork(apart, limit_s)
        printed, is_too_long = _start_of(output, most_octets)
        return Ended(code, printed, _start_of(errors, most_octets)[0], is_too_long)


def in_fork(work: Callable[[], int], limit_s: float) -> int:
    """Do ``work`` in a fork of this process, which must have no other thread.

    Returns: its return value, or its exit status: 1 for an error, which it reports on
        its standard error, below zero for a signal.

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


def close_all_but_standard() -> None:
    """Close all files but the standard ones.

    That lets go of the lock on the state folder, too: only the parent may hold it.
    """
    os.closerange(3, os.sysconf("SC_OPEN_MAX"))


def bound(*, memory_octets: int = 0, cpu_s: int = 0, nicer: int = 0) -> None:
    """Bound this process, which is the child; one that is bound more already stays so.

    Args:
        memory_octets: of addresses, mapped files too; 0 for no bound.
        cpu_s: of the processor's time; 0 for no bound.
        nicer: how much others go before.
    """
    os.nice(nicer)
    end_sooner(A_COMPILER)
    if memory_octets:
        limit(resource.RLIMIT_AS, memory_octets)
    if cpu_s:
        limit(resource.RLIMIT_CPU, cpu_s)


def limit(kind: int, value: int) -> None:
    """Lower a bound of this process; one that is lower already stays."""
    _, hard = resource.getrlimit(kind)
    value = value if hard == resource.RLIM_INFINITY else min(value, hard)
    resource.setrlimit(kind, (value, value))


def mapped_octets() -> int:
    """Return how much address space there is already.

    A fork begins with that of its parent.
    """
    pages = int(Path("/proc/self/statm").read_text(encoding="ascii").split()[0])
    return pages * resource.getpagesize()


def end_with_parent() -> None:
    """Have the kernel end this child process with the thread that has started it."""
    # A hardened service may forbid what ctypes does when it is imported: then it goes without.
    with contextlib.suppress(ImportError, MemoryError, OSError):
        import ctypes  # noqa: PLC0415 -- see above

        ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)


def own_output() -> IO[bytes]:
    """Take this child's output for its answer alone.

    What else is printed goes with the errors.
    """
    answer = os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)
    return answer


def answer(
    work: Callable[[dict[str, Any], IO[bytes]], None],
    *,
    more_octets: int = 0,
    cpu_s: int = 0,
    nicer: int = 0,
) -> int:
    """Answer the request of ``ask``, in a child that ends sooner than its parent.

    Args:
        work: called with the request, and with the output, on which it writes its answer last.
        more_octets: of memory that it may take beside what it has; 0 for no bound.
        cpu_s: as of ``bound``.
        nicer: as of ``bound``.

    Returns: the exit code; 1 for an error, which is then the output.
    """
    end_with_parent()
    memory = more_octets and mapped_octets() + more_octets
    bound(memory_octets=memory, cpu_s=cpu_s, nicer=nicer)
    with own_output() as output:
        try:
            work(json.loads(sys.stdin.buffer.read(_LARGEST_REQUEST)), output)
        except FilterdError as error:
            wrong: FilterdError = error
        except OSError as error:  # of the disk, where no caller expects it
            path = error.filename or "filterd"
            wrong = StoreError(say("{path}: {why}", path=path, why=refused(error)))
        else:
            return 0
        output.write(json.dumps(to_plain(wrong)).encode())
    return 1


def ask(
    module: str,
    request: Mapping[str, Any],
    failed: Sentence,
    too_long: Sentence,
    *,
    limit_s: float,
    most_octets: int,
    given: Mapping[str, str] | None = None,
) -> bytes:
    """Return the output of a module that answers a request (``answer``).

    Args:
        module: its name.
        request: plain data.
        failed: the error of a child that gave no answer, without its reason, ``{why}``.
        too_long: the error of one that was ended because it took longer than ``limit_s``.
        limit_s: as of ``run``.
        most_octets: as of ``run``.
        given: as of ``run``.

    Raises:
        FilterdError: that of the module, one of the two, or it cannot be started.
    """
    content = json.dumps(request).encode()
    try:
        ended = run(
            command(module),
            limit_s=limit_s,
            most_octets=most_octets,
            request=content,
            given=given,
        )
    except TimeoutError:
        raise StoreError(too_long) from None
    except OSError as error:
        raise not_started(error) from error
    if ended.code == 0:
        return ended.output
    wrong: FilterdError = StoreError(failed.filled({**failed.values, "why": ended.last_words}))
    with contextlib.suppress(ValueError, KeyError, TypeError):  # else a bound has ended it
        wrong = from_plain(json.loads(ended.output))
    raise wrong


def _attend(
    child: subprocess.Popen[bytes], request: bytes, clock: Clock, deadline: float, most_octets: int
) -> Ended:
    """Write the request and read what comes, until the child's output is closed.

    That is: until both ends of the output are closed.
    """
    assert child.stdin is not None
    assert child.stdout is not None
    assert child.stderr is not None
    output, errors = bytearray(), bytearray()
    kept = {child.stdout.fileno(): output, child.stderr.fileno(): errors}
    with selectors.DefaultSelector() as selector:
        for descriptor in kept:
            selector.register(descriptor, selectors.EVENT_READ)
        os.set_blocking(child.stdin.fileno(), False)
        selector.register(child.stdin.fileno(), selectors.EVENT_WRITE)
        while selector.get_map():
            left_s = deadline - clock.monotonic()  # one that never pauses is ended, too
            if left_s <= 0 or not (ready := selector.select(left_s)):
                raise TimeoutError
            for key, _ in ready:
                if key.fd in kept:
                    octets = os.read(key.fd, 1 << 16)
                    kept[key.fd] += octets
                    still = bool(octets)
                else:
                    request, still = _write(key.fd, request)
                if not still:
                    selector.unregister(key.fd)
                    if key.fd not in kept:
                        child.stdin.close()
            del errors[:-_MOST_ERRORS_OCTETS]
            if len(output) > most_octets:
                return Ended(-signal.SIGKILL, b"", bytes(errors), is_too_long=True)
    try:
        code = child.wait(max(deadline - clock.monotonic(), 0.0))
    except subprocess.TimeoutExpired:
        raise TimeoutError from None
    return Ended(code, bytes(output), bytes(errors))


def _write(descriptor: int, request: bytes) -> tuple[bytes, bool]:
    """Write a part of the request; return what is left and whether to go on."""
    try:
        left = request[os.write(descriptor, request) :]
    except OSError:  # the child has ended; its status has the reason
        return b"", False
    return left, bool(left)


@contextlib.contextmanager
def _memory_file(name: str) -> Iterator[int]:
    descriptor = os.memfd_create(name)
    try:
        yield descriptor
    finally:
        os.close(descriptor)


def _be_the_child(work: Callable[[], int], blocked: Iterable[int]) -> NoReturn:
    """Work, from the fork to the end of the process.

    ``blocked`` are the signals that stay blocked.
    """
    code = 1
    try:
        for number in _STOP:
            signal.signal(number, signal.SIG_DFL)
        signal.pthread_sigmask(signal.SIG_SETMASK, blocked)
        code = work()
        sys.stdout.flush()
    except BaseException:  # noqa: BLE001 -- the parent reports it; nothing may get past the fork
        os.write(2, traceback.format_exc().encode())
    finally:
        os._exit(code)


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


def _start_of(descriptor: int, most_octets: int) -> tuple[bytes, bool]:
    """Return what stands in a file, or nothing, and whether it is too long."""
    octets = os.fstat(descriptor).st_size
    if octets > most_octets:
        return b"", True
    with open(descriptor, "rb", closefd=False) as file:
        file.seek(0)
        return file.read(octets), False  # no more: it would take the memory for more
