# SPDX-License-Identifier: Apache-2.0
"""Start filterd's programs as forks of an interpreter that has imported what they need.

An interpreter takes half a second of CPU to import what a daemon or a compiler of policies
consists of, and tests start hundreds. ``Popen`` hands ``python -m filterd ...`` and the like to
a server, one for each process of tests. The server forks twice, so that the kernel gives the
second fork to the process that asked, as its child. What begins with ``nsenter`` gets a server
of its own, which is started by those words. All else starts as ever: what makes a namespace, or
has another environment for Python.
"""

from __future__ import annotations

import atexit
import contextlib
import ctypes
import gc
import importlib
import io
import json
import os
import runpy
import socket
import subprocess
import sys
import threading
import time
import traceback
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any, AnyStr, NamedTuple, NoReturn

from filterd.base import bounded_child
from filterd.base.paths import shipped
from filterd.config.compile import compile_policy
from filterd.config.site_reader import load_site
from filterd.feed.families.lookalike_rules import make_rules
from filterd.lists.catalogs.catalog import load_catalog
from filterd.texts import i18n
from tests.support import processes, yaml_once

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

_ROOT = Path(__file__).resolve().parents[2]
_MODULES = (
    "filterd",
    "filterd.appliance.inspection_record",
    "filterd.appliance.setup.site_edit",
    "filterd.config.pasted_timetable",
    "filterd.config.destinations",
    "filterd.config",
    "filterd.daemon.list_decisions",
    "filterd.feed.guard",
    "filterd.feed.index_build",
    "filterd.feed.policy_trial",
    "filterd.feed.followed.text_judgement",
    "filterd.feed.followed.version_content",
    "tests.support.set_clock",
)
"""What is started warm, by ``python -m``."""
_CODE = bounded_child._BOUNDED
"""The same, by ``python -c``."""
_IMPORTED = (
    "filterd.cli.school.check",
    "filterd.cli.entry",
    "filterd.cli.lists.lists",
    "filterd.cli.school.status",
    "filterd.config.compile",
    "filterd.config.lists_build",
    "filterd.config.build_record",
    "filterd.daemon.main",
    "filterd.daemon.manager_main",
    "filterd.feed.guard.checks",
    "filterd.feed.followed.text_judgement",
    "filterd.feed.followed.version_content",
    "ruamel.yaml",
    "encodings.punycode",
    "idna",
)
_READ_AT_THE_START = ("PYTHON", "LD_", "FAKETIME", "FILTERD_PURE")
"""Beginnings of the variables that an interpreter goes by; for another value it is another one."""
_INDIFFERENT = {
    "PYTHON",  # of make: the interpreter that a target is run with
    "PYTHONDONTWRITEBYTECODE",
    "PYTHONPATH",
    "PYTHONUNBUFFERED",
    "PYTHONUTF8",
}
_PR_SET_CHILD_SUBREAPER = 36  # linux/prctl.h
_MOST_OCTETS = 1 << 17


class Job(NamedTuple):
    """What a fork becomes: a module, or that code where it is empty."""

    module: str
    arguments: Sequence[str]
    folder: str
    variables: Mapping[str, str]

    def run(self) -> None:
        """Run it, in the process that is nothing else."""
        os.chdir(self.folder)
        at_once = bool(self.variables.get("PYTHONUNBUFFERED"))
        for number, name in enumerate(("stdin", "stdout", "stderr")):  # those of the server differ
            errors = "backslashreplace" if name == "stderr" else "surrogateescape"
            mode, buffer = ("wb", -1 + at_once) if number else ("rb", -1)
            raw = open(number, mode, buffer, closefd=False)  # noqa: SIM115 -- for good
            lines = name == "stderr"
            text = io.TextIOWrapper(raw, "utf-8", errors, None, lines, at_once)
            setattr(sys, name, text)
        os.environ.clear()
        os.environ.update(self.variables)
        time.tzset()
        sys.argv = [self.module or "-c", *self.arguments]
        if self.module:
            runpy.run_module(self.module, run_name="__main__", alter_sys=True)
        else:
            exec(_CODE, {"__name__": "__main__"})  # filterd's own


class Popen(subprocess.Popen[AnyStr]):
    """A process, forked where that is possible."""

    def _execute_child(self, *given: Any) -> None:
        """Start it; ``given`` is what ``subprocess`` gives, in its order."""
        words, _, preexec, _, kept, folder, variables, _, _, shell = given[:10]
        ends, how = given[10:16], given[17:]
        is_plain = not (preexec or kept or shell) and how == (None, None, None, -1, False, -1)
        before, words = _split(words)
        job = _job(words, folder, os.environ if variables is None else variables)
        if job is None or not is_plain:
            super()._execute_child(*given)  # type: ignore[misc]
            return
        files = [file if file >= 0 else n for n, file in enumerate((ends[0], ends[3], ends[5]))]
        self.pid = _server(os.getpid(), before).start(job, files)
        self._child_created = True
        self._close_pipe_fds(*ends)  # type: ignore[attr-defined]


def _split(words: Any) -> tuple[tuple[str, ...], Any]:
    """Return the words that enter a namespace, and the command after them."""
    if isinstance(words, list) and words[0] == "nsenter" and sys.executable in words:
        place = words.index(sys.executable)
        return tuple(words[:place]), words[place:]
    return (), words


def _usual() -> dict[str, str]:
    """Return the environment of the interpreter that forks."""
    kept = {key: value for key, value in os.environ.items() if not key.startswith("FILTERD_")}
    return {**kept, "PYTHONPATH": str(_ROOT), "LANG": "C.UTF-8"}


def _job(words: Any, folder: Any, variables: Mapping[str, str]) -> Job | None:
    """Return what to start warm, if it can be."""
    if not isinstance(words, list | tuple) or words[0] != sys.executable:
        return None
    rest = [os.fspath(word) for word in words[1:]]
    while rest and rest[0] in ("-P", "-s"):
        del rest[0]
    where, usual = os.fspath(folder or Path.cwd()), _usual()
    if variables.get("PYTHONPATH") != usual["PYTHONPATH"] or _kind(variables) != _kind(usual):
        return None
    if rest[:1] == ["-m"] and rest[1] in _MODULES:
        return Job(rest[1], rest[2:], where, dict(variables))
    return Job("", rest[2:], where, dict(variables)) if rest[:2] == ["-c", _CODE] else None


def _kind(variables: Mapping[str, str]) -> dict[str, str]:
    """Return what an interpreter with this environment goes by."""
    return {
        key: value
        for key, value in variables.items()
        if key.startswith(_READ_AT_THE_START) and key not in _INDIFFERENT
    }


class _Server:
    """The interpreter that forks, and how it is asked."""

    def __init__(self, before: Sequence[str]) -> None:
        ours, its = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        with its:
            self._process = subprocess.Popen(
                [*before, sys.executable, "-P", "-s", "-m", __name__, str(its.fileno())],
                env=_usual(),
                pass_fds=[its.fileno()],
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
            )
        processes.LASTING.add(self._process.pid)
        self._asking, self._socket = threading.Lock(), ours
        atexit.register(self._end, os.getpid())

    def start(self, job: Job, files: Sequence[int]) -> int:
        """Return the process id of a new child of this process."""
        with self._asking, _adopting():
            socket.send_fds(self._socket, [json.dumps(job).encode()], files)
            answer = self._socket.recv(_MOST_OCTETS)
        assert answer, "the interpreter that forks has ended"
        return int(answer)

    def _end(self, owner: int) -> None:
        if os.getpid() == owner:
            self._socket.close()
            self._process.wait()


@cache
def _server(_process: int, before: tuple[str, ...]) -> _Server:
    """Return the server of a process; a fork of it has another."""
    return _Server(before)


@contextlib.contextmanager
def _adopting() -> Iterator[None]:
    """Have the kernel give this process whatever of its descendants loses its parent."""
    prctl = ctypes.CDLL(None).prctl
    prctl(_PR_SET_CHILD_SUBREAPER, 1)
    try:
        yield
    finally:
        prctl(_PR_SET_CHILD_SUBREAPER, 0)


def _serve(asked: socket.socket) -> Job | None:
    """Fork for each request; return the job in a fork, and None at the end."""
    while True:
        request, files, *_ = socket.recv_fds(asked, _MOST_OCTETS, 3)
        if not request:
            return None
        reading_end, writing_end = os.pipe()
        if not (between := os.fork()):
            between = os.getpid()
            if pid := os.fork():
                os.write(writing_end, str(pid).encode())
                os._exit(0)
            while os.getppid() == between:
                time.sleep(0.0005)
            for number, file in enumerate(files):
                os.dup2(file, number)
            os.closerange(3, max(*files, reading_end, writing_end, asked.fileno()) + 1)
            asked.detach()
            return Job(*json.loads(request))
        os.waitpid(between, 0)
        asked.send(os.read(reading_end, _MOST_OCTETS))
        for file in (reading_end, writing_end, *files):
            os.close(file)


def main(descriptor: int) -> None:
    """Import, read what ships, fork, and in each fork be what was asked for."""
    for name in _IMPORTED:
        importlib.import_module(name)
    yaml_once.remember()
    compile_policy(load_site(shipped("policies")), load_catalog(shipped("blocklists")))
    i18n.catalogue("vi")
    make_rules({"porn": [b"warm.example"]}, ())  # it remembers the names of schools
    gc.collect()
    gc.freeze()
    job = _serve(socket.socket(fileno=descriptor))
    if job is not None:
        _end(job)


def _end(job: Job) -> NoReturn:
    """Run a job and end as an interpreter does, but for the memory, which the kernel frees."""
    code: object = 0
    try:
        job.run()
    except SystemExit as end:
        code = end.code or 0
        if not isinstance(code, int):
            sys.stderr.write(f"{code}\n")
            code = 1
    except Exception:  # noqa: BLE001 -- nothing is beneath it
        traceback.print_exc()
        code = 1
    atexit._run_exitfuncs()
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(int(str(code)) & 0xFF)


if __name__ == "__main__":
    main(int(sys.argv[1]))
