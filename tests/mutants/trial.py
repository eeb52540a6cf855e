# SPDX-License-Identifier: Apache-2.0
"""Try mutants on the tests of a folder, which are collected once.

A quick trial is a fork of the process that has collected: in it the code of one function is
exchanged, then the tests that reach the changed lines run, the quickest first, until one fails. A
full trial plants the mistake in a copy of the repository and starts pytest there. It is for what
is evaluated at an import, and for what has lived in the quick trial: some tests start children,
which a fork does not change. So what is said to live has lived in a copy.

A mutant that needs far more processor time than the tests need without it is killed too.
"""

from __future__ import annotations

import gc
import importlib
import json
import os
import resource
import select
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
from collections import defaultdict
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from time import perf_counter, process_time
from types import CodeType, FrameType, FunctionType
from typing import TYPE_CHECKING, Any, NoReturn

import pytest

from tests.support.closing import BY_FORKS
from tests.support.commands import ROOT
from tests.support.processes import family

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from tests.mutants.mutations import Mutant

KILLED, BY_TIME, LIVED = "killed", "killed by time", "lived"
_UNTRIED = "untried"
_FAULT = 3
"""The exit code of a fork that could not try its mutant."""
_SELECTED, _LONG = "not control and not long", "long and not control"
_LEAST_CPU_S, _TIMES_CPU = 20, 10
_LEAST_WALL_S, _TIMES_WALL = 90, 20
"""A machine may have much other work."""
_NICENESS = 10
_COPIED = ("filterd", "tests", "policies", "blocklists", "deploy")


@dataclass
class Reach:
    """What the tests of a folder reach when there is no mistake."""

    seconds: dict[str, float] = field(default_factory=dict)
    """Of processor, of each test."""
    tests: dict[tuple[str, int], set[str]] = field(default_factory=lambda: defaultdict(set))
    """Those that reach a line of a file."""
    failed: list[str] = field(default_factory=list)
    skipped: int = 0

    def of(self, mutant: Mutant) -> list[str]:
        """Return the tests that reach the lines of a mutant, the quickest first."""
        first, last = mutant.lines
        found: set[str] = set()
        for line in range(first, last + 1):
            found |= self.tests.get((mutant.file, line), set())
        return sorted(found, key=lambda test: (self.seconds[test], test))


class Trials:
    """The plugin that tries mutants with what pytest has collected.

    Args:
        package: whose modules are changed, as ``feed/guard``.
        mutants: in the order in which they are tried.
        jobs: how many at once.
        tell: is called with each mutant and what has become of it.
        is_quick: whether quick trials are believed, and mutants that need a full one left out.
    """

    def __init__(
        self,
        package: str,
        mutants: list[Mutant],
        jobs: int,
        tell: Callable[[Mutant, str], None],
        *,
        is_quick: bool,
    ) -> None:
        self._package, self._mutants, self._jobs, self._tell = package, mutants, jobs, tell
        self._is_quick = is_quick
        self._sources = {mutant.file: (ROOT / mutant.file).read_bytes() for mutant in mutants}
        self.reach = Reach()
        self.has_begun, self.problem = False, ""
        self._functions: dict[tuple[str, str, int], list[FunctionType]] = {}
        self._items: dict[str, pytest.Item] = {}
        self._work = Path()
        self._is_copy_sound = False

    def pytest_configure(self, config: pytest.Config) -> None:
        """Say that the tests are run by forks."""
        config.stash[BY_FORKS] = True

    def pytest_runtestloop(self, session: pytest.Session) -> bool:
        """Find out what each test reaches, then try the mutants."""
        session.config.pluginmanager.unregister(name="terminalreporter")
        self._items = {item.nodeid: item for item in session.items}
        self._functions = _functions_of(self._package)
        with tempfile.TemporaryDirectory(prefix="filterd-mutants-") as work:
            self._work = Path(work)
            self.reach = self._measured()
            if not self.reach.failed:
                self.has_begun = True
                gc.freeze()
                for slot in range(0 if self._is_quick else self._jobs):
                    _copy_repository(self._copy_of(slot))
                self._try_all()
        return True

    def _measured(self) -> Reach:
        """Run all tests in a fork that notes what they reach."""
        noted = self._work / "reach.json"
        pid = self._fork("reach", lambda: _note(list(self._items.values()), noted))
        _, status = os.waitpid(pid, 0)
        _end(pid)
        if not noted.exists():
            return Reach(failed=[f"the tests themselves: exit code {status}"])
        plain = json.loads(noted.read_text())
        reach = Reach(plain["seconds"], failed=plain["failed"], skipped=plain["skipped"])
        measuring = [self._items[test] for test in reach.failed]
        if measuring:  # what measures memory fails while lines are noted
            pid = self._fork("again", lambda: _run(measuring))
            if os.waitpid(pid, 0)[1]:
                return reach
        for name, test, lines in plain["lines"]:
            for line in lines if test not in reach.failed else ():
                reach.tests.setdefault((name, line), set()).add(test)
        reach.failed = []
        return reach

    def _try_all(self) -> None:
        running: dict[int, _Running] = {}
        try:
            self._try_with(running)
        finally:  # where a copy is not sound, others are still at work
            for one in running.values():
                _end(one.pid)

    def _try_with(self, running: dict[int, _Running]) -> None:
        left = [
            mutant for mutant in reversed(self._mutants) if mutant.function or not self._is_quick
        ]
        free = list(range(self._jobs))
        while left or running:
            while left and free:
                one = self._begin(left.pop(), free.pop())
                running[one.ended] = one
            for ended in self._awaited(running):
                one = running.pop(ended)
                outcome = one.outcome()
                if outcome in (LIVED, _UNTRIED) and one.is_quick and not self._is_quick:
                    one = self._begin_full(one.mutant, one.slot)
                    running[one.ended] = one
                else:
                    free.append(one.slot)
                    self._tell(one.mutant, outcome)

    def _awaited(self, running: dict[int, _Running]) -> list[int]:
        poll = select.poll()
        for one in running.values():
            poll.register(one.ended, select.POLLIN)
        while not (ready := [descriptor for descriptor, _ in poll.poll(1_000)]):
            for one in running.values():
                if perf_counter() > one.until:
                    one.is_late = True
                    _end(one.pid)
        return ready

    def _begin(self, mutant: Mutant, slot: int) -> _Running:
        tests = self.reach.of(mutant)
        code = self._code_of(mutant) if tests else None
        if code is None and not self._is_quick:
            return self._begin_full(mutant, slot)
        cpu_s = sum(self.reach.seconds[test] for test in tests)
        items = [self._items[test] for test in tests]

        def run() -> None:
            _bound(cpu_s)
            if code is not None:
                for function in self._functions[_place_of(code)]:
                    function.__code__ = code
            _run(items)

        pid = self._fork(f"quick-{slot}", run)
        return _Running(mutant, slot, pid, cpu_s, is_quick=True)

    def _code_of(self, mutant: Mutant) -> CodeType | None:
        """Return the code of the function with the mistake; None if it cannot be exchanged."""
        if not mutant.function:
            return None
        path = ROOT / mutant.file
        planted = compile(
            mutant.planted(self._sources[mutant.file]), str(path), "exec", dont_inherit=True
        )
        for code in _codes(planted):
            exchanged = self._functions.get(_place_of(code), [])
            enclosed = {len(one.__code__.co_freevars) for one in exchanged}
            if code.co_qualname == mutant.function and enclosed == {len(code.co_freevars)}:
                return code
        return None

    def _begin_full(self, mutant: Mutant, slot: int) -> _Running:
        """Plant a mistake in the copy of a slot, and start all tests there, its own first."""
        copy, cpu_s = self._copy_of(slot), sum(self.reach.seconds.values())
        if not self._is_copy_sound:
            self._check_copy(copy)
        path, source = copy / mutant.file, self._sources[mutant.file]
        path.write_bytes(mutant.planted(source))
        os.utime(path, (0, mutant.start))  # no cached code is of this time

        def run() -> None:
            _bound(cpu_s)
            os._exit(int(not self._passes(copy, Path(mutant.file).stem)))

        pid = self._fork(f"full-{slot}", run)
        return _Running(mutant, slot, pid, cpu_s, restore=lambda: path.write_bytes(source))

    def _copy_of(self, slot: int) -> Path:
        return self._work / f"copy-{slot}"

    def _check_copy(self, copy: Path) -> None:
        """Check that the tests pass in a copy; else each mutant would seem to be killed there."""
        pid = self._fork("full", lambda: os._exit(int(not self._passes(copy))))
        if os.waitpid(pid, 0)[1]:
            self.problem = f"tests/unit/{self._package} passes here and fails in a copy"
            raise pytest.exit.Exception(self.problem)
        self._is_copy_sound = True

    def _passes(self, copy: Path, module: str = "") -> bool:
        """Return whether the tests of the folder pass in a copy.

        Those of a module run first, and last the long ones.
        """
        folder = f"tests/unit/{self._package}"
        own = f"{folder}/test_{module}.py"
        has_own = (copy / own).exists()
        others = [f"--deselect={own}"] if has_own else []
        return (
            (not has_own or _pytest(copy, _SELECTED, own))
            and _pytest(copy, _SELECTED, folder, *others)
            and _pytest(copy, _LONG, folder)
        )

    def _fork(self, name: str, run: Callable[[], None]) -> int:
        """Run something in a fork that has a session and a folder of its own."""
        folder = self._work / name
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir()
        sys.stdout.flush()
        pid = os.fork()
        if pid:
            return pid
        try:
            os.setsid()
            null = os.open(os.devnull, os.O_RDWR)
            for standard in (0, 1, 2):
                os.dup2(null, standard)
            os.environ["TMPDIR"] = tempfile.tempdir = str(folder)
            run()
        except BaseException:  # noqa: BLE001 -- whatever it is, the fork must not go on as its parent
            os._exit(_FAULT)
        os._exit(0)


@dataclass
class _Running:
    mutant: Mutant
    slot: int
    pid: int
    cpu_s: float
    is_quick: bool = False
    restore: Callable[[], object] = lambda: None
    is_late: bool = False
    ended: int = -1
    until: float = 0.0

    def __post_init__(self) -> None:
        self.ended = os.pidfd_open(self.pid)
        self.until = perf_counter() + _LEAST_WALL_S + _TIMES_WALL * self.cpu_s

    def outcome(self) -> str:
        """Return what has become of the mutant, and remove what the fork has left."""
        with suppress(ProcessLookupError):  # before it is waited for: nobody else has its number
            os.killpg(self.pid, signal.SIGKILL)
        _, status = os.waitpid(self.pid, 0)
        os.close(self.ended)
        code = os.waitstatus_to_exitcode(status)
        self.restore()
        if code == _FAULT:
            return _UNTRIED
        if self.is_late or code == -signal.SIGXCPU:
            return BY_TIME
        return KILLED if code else LIVED


def _functions_of(package: str) -> dict[tuple[str, str, int], list[FunctionType]]:
    """Return the functions of a package by where their code begins; all modules are imported."""
    for path in sorted((ROOT / "filterd" / package).rglob("*.py")):
        if path.stem != "__main__":
            module = path.relative_to(ROOT).with_suffix("")
            importlib.import_module(".".join(module.parts).removesuffix(".__init__"))
    inside, found = str(ROOT / "filterd" / package), defaultdict(list)
    for one in gc.get_objects():
        if isinstance(one, FunctionType) and one.__code__.co_filename.startswith(inside):
            found[_place_of(one.__code__)].append(one)
    return dict(found)


def _place_of(code: CodeType) -> tuple[str, str, int]:
    return code.co_filename, code.co_qualname, code.co_firstlineno


def _codes(code: CodeType) -> Iterator[CodeType]:
    for constant in code.co_consts:
        if isinstance(constant, CodeType):
            yield constant
            yield from _codes(constant)


class _Outcome:
    """The plugin that ends this process at the first failure."""

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        if report.failed:
            os._exit(1)


def _run(items: list[pytest.Item]) -> NoReturn:
    """Run tests until one fails; then the exit code is 1."""
    if not items:
        os._exit(0)
    config, session = items[0].config, items[0].session
    config.pluginmanager.register(_Outcome())
    for number, item in enumerate(items):
        following = items[number + 1] if number + 1 < len(items) else None
        config.hook.pytest_runtest_protocol(item=item, nextitem=following)
        if session.shouldfail or session.shouldstop:
            os._exit(1)
    os._exit(0)


def _note(items: list[pytest.Item], noted: Path) -> NoReturn:
    """Run all tests and write what each reaches."""
    inside, lines = f"{ROOT}/filterd/", dict[tuple[str, str], set[int]]()
    seconds, failed, skipped, at = dict[str, float](), list[str](), 0, ""

    def trace(frame: FrameType, _event: str, _arg: Any) -> Any:
        name = frame.f_code.co_filename
        if not name.startswith(inside):
            return None
        seen = lines.setdefault((name, at), set())
        seen.add(frame.f_lineno)

        def line(frame: FrameType, _event: str, _arg: Any) -> Any:
            seen.add(frame.f_lineno)
            return line

        return line

    class Notes:
        def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
            nonlocal skipped
            if report.failed:
                failed.append(report.nodeid)
            skipped += report.skipped

    config = items[0].config
    config.pluginmanager.register(Notes())
    for number, item in enumerate(items):
        at, before = item.nodeid, process_time()
        following = items[number + 1] if number + 1 < len(items) else None
        threading.settrace(trace)
        sys.settrace(trace)
        config.hook.pytest_runtest_protocol(item=item, nextitem=following)
        sys.settrace(None)
        seconds[at] = process_time() - before
    plain = {
        "seconds": seconds,
        "failed": failed,
        "skipped": skipped,
        "lines": [
            (os.path.relpath(name, ROOT), test, sorted(found))
            for (name, test), found in lines.items()
        ],
    }
    noted.write_text(json.dumps(plain))
    os._exit(0)


def _bound(cpu_s: float) -> None:
    """Bound the processor time of this process, and of each that it starts."""
    _, hard = resource.getrlimit(resource.RLIMIT_CPU)
    resource.setrlimit(resource.RLIMIT_CPU, (round(_LEAST_CPU_S + _TIMES_CPU * cpu_s), hard))


def _pytest(copy: Path, selected: str, *arguments: str) -> bool:
    environment = os.environ | {"PYTHONPATH": str(copy)}
    words = ["-o", "faulthandler_timeout=0", "-q", "-x", "-m", selected, *arguments]
    command = [sys.executable, "-m", "pytest", *words]
    done = subprocess.run(command, cwd=copy, env=environment, check=False)
    return done.returncode in (pytest.ExitCode.OK, pytest.ExitCode.NO_TESTS_COLLECTED)


def _copy_repository(folder: Path) -> None:
    """Copy what tests use, with the compiled modules; not the C that they were made of."""
    folder.mkdir()
    for name in _COPIED:
        shutil.copytree(ROOT / name, folder / name, ignore=shutil.ignore_patterns("*.c"))
    for path in ROOT.iterdir():
        if path.is_file():
            shutil.copy2(path, folder)


def _end(pid: int) -> None:
    for one in list(family(pid)):
        with suppress(ProcessLookupError):
            os.kill(one, signal.SIGKILL)


def run(
    package: str,
    mutants: list[Mutant],
    jobs: int,
    tell: Callable[[Mutant, str], None],
    *,
    tests: str,
    is_quick: bool,
) -> Trials:
    """Collect the tests of a folder, try mutants on them, and return the trials."""
    os.nice(max(0, _NICENESS - os.nice(0)))
    trials = Trials(package, mutants, jobs, tell, is_quick=is_quick)
    words = [
        "-o",
        "faulthandler_timeout=0",
        "-qq",
        "--color=no",
        "--no-header",
        "--no-summary",
        "-m",
        _SELECTED,
    ]
    pytest.main([*words, tests], plugins=[trials])
    return trials
