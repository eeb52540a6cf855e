# SPDX-License-Identifier: Apache-2.0
"""A school, and the real daemon that serves it in a process of its own."""

from __future__ import annotations

import contextlib
import fcntl
import os
import queue
import random
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import threading
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

from filterd.base.clock import SystemClock
from filterd.base.state_folder import StateFolder
from filterd.daemon.time import known_time
from filterd.daemon.time.known_time import KnownTime, Lead
from filterd.policy.model import GRADES
from filterd.upstream import randomness
from tests.support.commands import ROOT, call, environment

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

WITHIN_S = 90.0
"""Nothing takes as long but on a machine with much other work."""
_PROGRAM = ("-m", "filterd")
_LOWEST_PORT = 2_000
_kept_ports = set[int]()

SOURCES = {
    **{str(number): f"127.0.{number}.1" for number in range(1, 13)},
    "staff": "127.0.100.1",
    "preschool": "127.0.101.1",
    "guest": "127.0.102.1",
    "continuing": "127.0.103.1",
}
"""For each grade the loopback address that asks as it."""

assert set(SOURCES) == set(GRADES)


def asked(
    port: int, query: bytes, source: str = SOURCES["6"], *, within_s: float = WITHIN_S
) -> bytes:
    """Return the answer to a datagram that a device sends from a port of its own."""
    with socket.socket(type=socket.SOCK_DGRAM) as device:
        device.settimeout(within_s)
        device.bind((source, 0))
        device.sendto(query, ("127.0.0.1", port))
        return device.recv(4096)


def free_port() -> int:
    """Return a port that neither UDP nor TCP has in use at 127.0.0.1, and that no other gets here.

    It is none that the kernel gives by itself, nor one that filterd asks upstreams from: another
    test may have it before the server of this one. Until this process ends it is kept, also while
    that server is started anew: other processes of tests choose from the same ports.
    """
    locks = _port_locks()
    while True:
        with (
            socket.socket(type=socket.SOCK_DGRAM) as udp,
            socket.socket(type=socket.SOCK_STREAM) as tcp,
            contextlib.suppress(OSError),
        ):
            port = random.SystemRandom().randrange(_LOWEST_PORT, randomness.LOWEST)
            fcntl.lockf(locks, fcntl.LOCK_EX | fcntl.LOCK_NB, 1, port)
            udp.bind(("127.0.0.1", port))
            tcp.bind(("127.0.0.1", port))
            if port not in _kept_ports:
                _kept_ports.add(port)
                return port


@cache
def _port_locks() -> int:
    """Open the file with an octet for each port, once: to close it ends all locks (fcntl(2))."""
    path = Path(tempfile.gettempdir()) / f"filterd-test-ports-{os.getuid()}"
    return os.open(path, os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW | os.O_CLOEXEC, 0o600)


def is_free(port: int) -> bool:
    """Return whether neither UDP nor TCP has a port in use at 127.0.0.1."""
    with (
        socket.socket(type=socket.SOCK_DGRAM) as udp,
        socket.socket(type=socket.SOCK_STREAM) as tcp,
        contextlib.suppress(OSError),
    ):
        tcp.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)  # as filterd does
        for one in (udp, tcp):
            one.bind(("127.0.0.1", port))
        return True
    return False


def write_site(folder: Path, *, port: int, upstream: int = 9, more: str = "") -> Path:
    """Write a ``site.yaml`` whose loopback networks stand for the grades.

    Args:
        folder: of the site.
        port: to listen on.
        upstream: the port of the upstream; the default port here has no listener.
        more: further keys, as YAML.
    """
    networks = "\n".join(
        f"  of-{grade}: {{cidrs: [{address.rpartition('.')[0]}.0/24], grade: {grade}}}"
        for grade, address in SOURCES.items()
    )
    folder.mkdir(parents=True, exist_ok=True)
    text = (
        "school: {name: Trường mẫu}\n"
        "language: en\n"
        f"listen: ['127.0.0.1:{port}']\n"
        f"upstreams: ['127.0.0.1:{upstream}']\n"
        f"networks:\n{networks}\n{more}"
    )
    (folder / "site.yaml").write_text(text, encoding="utf-8")
    return folder


def noon() -> ZoneInfo:
    """Return a time zone in which it is between 12:00 and 13:00, so that no day ends meanwhile.

    A site has it by ``time_zone``.
    """
    hour = int(SystemClock().wall() // 3600) % 24
    return ZoneInfo(f"Etc/GMT{hour - 12:+d}")  # the sign is that of POSIX: west of Greenwich is +


def build_lists(config: Path, state: Path) -> StateFolder:
    """Compile the shipped lists into a state folder."""
    done = call("lists", "build", "--quiet", "--config", config, "--state", state)
    assert done.code == 0, done.err
    return StateFolder(state)


@dataclass
class Served:
    """A daemon that serves. ``log`` is all that it has said on standard error."""

    process: subprocess.Popen[str]
    config: Path
    state: StateFolder
    log: list[str] = field(default_factory=list)
    _lines: queue.SimpleQueue[str | None] = field(default_factory=queue.SimpleQueue)

    def listen(self, stderr: IO[str]) -> None:
        """Collect its lines; runs in a thread."""
        for line in stderr:
            self._lines.put(line.rstrip("\n"))
        self._lines.put(None)

    def wait_for(self, words: str) -> str:
        """Return the next line with these words."""
        while (line := self._lines.get(timeout=WITHIN_S)) is not None:
            self.log.append(line)
            if words in line:
                return line
        raise AssertionError(f"it ended without saying {words!r}: {self.log}")

    def end(self, number: signal.Signals = signal.SIGTERM) -> int:
        """Stop it and return its exit code; the rest of its lines go to ``log``."""
        self.process.send_signal(number)
        code = self.process.wait(WITHIN_S)
        while (line := self._lines.get(timeout=WITHIN_S)) is not None:
            self.log.append(line)
        return code

    @property
    def options(self) -> tuple[str, ...]:
        """What a command needs in order to ask it."""
        return ("--config", str(self.config), "--state", str(self.state.folder))


def confirm_the_time(state: StateFolder) -> None:
    """Let the next daemon know the time as confirmed: no test depends on a time server."""
    if not state.folder.is_dir() or os.path.lexists(state.clock):
        return
    clock = SystemClock()
    now = clock.wall()
    lead = Lead(known_time.boot_id(), now - clock.monotonic(), is_confirmed=True)
    known_time.FORMAT.save(state.clock, KnownTime(now, lead=lead, not_before=now))


@contextlib.contextmanager
def starting(
    config: Path,
    state: Path,
    *options: str,
    before: Sequence[str] = (),
    program: Sequence[str] = _PROGRAM,
    pass_fds: Sequence[Any] = (),
    **variables: str,
) -> Iterator[Served]:
    """Start a daemon and end it; it may not serve yet, or never.

    Args:
        config: the folder of ``site.yaml``.
        state: the state folder.
        options: of ``filterd serve``.
        before: words before the command, which make it another user's.
        program: what the interpreter runs; a control gives it another.
        pass_fds: descriptors that it inherits.
        variables: of the environment.
    """
    if not before and "tests.support.set_clock" not in program:
        confirm_the_time(StateFolder(state))
    process = subprocess.Popen(
        [
            *before,
            sys.executable,
            *program,
            "serve",
            *options,
            "--config",
            str(config),
            "--state",
            str(state),
        ],
        cwd=ROOT,
        env=environment(**variables),
        stderr=subprocess.PIPE,
        text=True,
        pass_fds=pass_fds,
    )
    assert process.stderr is not None
    served = Served(process, config, StateFolder(state))
    reader = threading.Thread(target=served.listen, args=(process.stderr,))
    reader.start()
    try:
        yield served
    finally:
        process.kill()
        process.wait()
        reader.join()
        process.stderr.close()


@contextlib.contextmanager
def serving(
    config: Path,
    state: Path,
    *options: str,
    before: Sequence[str] = (),
    program: Sequence[str] = _PROGRAM,
    pass_fds: Sequence[Any] = (),
    **variables: str,
) -> Iterator[Served]:
    """Start a daemon, wait until it serves, and end it."""
    with starting(
        config, state, *options, before=before, program=program, pass_fds=pass_fds, **variables
    ) as served:
        served.wait_for("filterd listens on")
        yield served


def copy_lists(built: StateFolder, state: Path) -> StateFolder:
    """Give a new state folder the lists of another, which is quicker than compiling them."""
    state.mkdir(parents=True, exist_ok=True)
    shutil.copyfile(built.index, StateFolder(state).index)
    return StateFolder(state)
