# SPDX-License-Identifier: Apache-2.0
"""A child within its bounds, started afresh and as a fork, with the compiler as the example."""

from __future__ import annotations

import ctypes
import json
import os
import signal
import subprocess
import sys
import threading
from contextlib import contextmanager
from mmap import mmap
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from filterd.base import bounded_child
from filterd.base.bounded_child import Ended, run, run_forked
from filterd.base.errors import ConfigError, FilterdError, StoreError
from filterd.config import __main__ as child
from filterd.config.compile_run import afresh, forked
from filterd.policy import policy_file
from filterd.texts.i18n import say
from tests.support.processes import children
from tests.support.site import SCHOOL

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

LONG_S = 60.0


@pytest.fixture(autouse=True)
def _no_child_is_left() -> Iterator[None]:
    """Others may be there: of fixtures of the whole session, in whose process this runs."""
    before = children(os.getpid())
    yield
    assert children(os.getpid()) == before


@pytest.fixture(params=[afresh, forked], ids=["afresh", "forked"])
def start(request: pytest.FixtureRequest) -> Any:
    return request.param


@contextmanager
def _child_does(act: Callable[[list[str]], int], monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    with monkeypatch.context() as patched:
        patched.setattr(child, "main", act)
        yield


def _site(folder: Path, text: str = "") -> Path:
    (folder / "site.yaml").write_text(SCHOOL + text, encoding="utf-8")
    return folder


def _arguments(config: Path, target: Path) -> list[str]:
    return [str(config), str(target), "", ""]


def test_both_write_the_same_policy(tmp_path: Path) -> None:
    written = []
    for start in (afresh, forked):
        ended = start(_arguments(_site(tmp_path), tmp_path / start.__name__), LONG_S)
        assert ended == Ended(0, b"", b"")
        written.append((tmp_path / start.__name__).read_bytes())
    assert written[0] == written[1]


def test_what_is_wrong_is_one_json_object(tmp_path: Path, start: Any) -> None:
    ended = start(_arguments(_site(tmp_path, "languag: vi\n"), tmp_path / "policy"), LONG_S)
    assert ended.code == 1
    assert "languag" in json.dumps(json.loads(ended.output))


def test_one_that_takes_too_long_is_ended_and_waited_for(tmp_path: Path, start: Any) -> None:
    with pytest.raises(TimeoutError):
        start(_arguments(_site(tmp_path), tmp_path / "policy"), 0.001)
    assert not (tmp_path / "policy").exists()


def test_a_fork_reports_how_it_died(monkeypatch: pytest.MonkeyPatch) -> None:
    def die(_: list[str]) -> int:
        raise ZeroDivisionError("no")

    with _child_does(die, monkeypatch):
        ended = forked([], LONG_S)
    assert (ended.code, ended.output) == (1, b"")
    assert ended.errors.decode().strip().endswith("ZeroDivisionError: no")


def test_a_fork_that_the_system_ends_has_a_code_below_zero(monkeypatch: pytest.MonkeyPatch) -> None:
    def be_killed(_: list[str]) -> int:
        os.kill(os.getpid(), signal.SIGKILL)
        return 0

    with _child_does(be_killed, monkeypatch):
        assert forked([], LONG_S).code == -signal.SIGKILL


def test_a_stop_while_a_fork_compiles_ends_it(monkeypatch: pytest.MonkeyPatch) -> None:
    """The handler of a signal raises in the thread that waits, and no child may go on after.

    The signal is for this thread alone: one for the process would go to a thread of another test
    while this one blocks it, and the handler would run before the fork has returned its number.
    """

    def stop(*_: object) -> None:
        raise SystemExit(0)

    def stop_the_parent_and_go_on(_: list[str]) -> int:
        parent = os.getppid()
        ctypes.CDLL(None).tgkill(parent, parent, signal.SIGTERM)
        threading.Event().wait(LONG_S)
        return 0

    before = signal.signal(signal.SIGTERM, stop)
    try:
        with _child_does(stop_the_parent_and_go_on, monkeypatch), pytest.raises(SystemExit):
            forked([], LONG_S)
    finally:
        signal.signal(signal.SIGTERM, before)


def test_a_fork_ends_by_signals_that_its_parent_has_other_plans_for(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def end_it(_: list[str]) -> int:
        os.kill(os.getpid(), signal.SIGTERM)
        return 0

    before = signal.signal(signal.SIGTERM, lambda *_: None)
    try:
        with _child_does(end_it, monkeypatch):
            assert forked([], LONG_S).code == -signal.SIGTERM
    finally:
        signal.signal(signal.SIGTERM, before)
    assert signal.pthread_sigmask(signal.SIG_BLOCK, ()).isdisjoint({signal.SIGTERM, signal.SIGINT})


def test_a_fork_has_its_bound_of_memory_beside_what_its_parent_has_mapped(tmp_path: Path) -> None:
    arguments = _arguments(_site(tmp_path), tmp_path / "policy")
    with mmap(-1, 600 << 20):
        assert forked(arguments, LONG_S) == Ended(0, b"", b"")


def test_a_fork_holds_nothing_open_of_its_parent(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Above all not the lock on the state folder, which would outlive a parent that is killed."""

    def list_open_files(_: list[str]) -> int:
        sys.stdout.write(" ".join(one.name for one in Path("/proc/self/fd").iterdir()))
        return 0

    with (tmp_path / "lock").open("w"), _child_does(list_open_files, monkeypatch):
        held = forked([], LONG_S).output.decode().split()
    assert set(held) <= {"0", "1", "2", "3"}  # the last one is that of the listing


def test_a_fork_leaves_nothing_in_its_parent(tmp_path: Path) -> None:
    program = (
        "import os, sys; from filterd.config.compile_run import forked\n"
        "opened = len(os.listdir('/proc/self/fd'))\n"
        "code = forked(sys.argv[1:], 60).code\n"
        "print(code, len(os.listdir('/proc/self/fd')) - opened,"
        " {'yaml', 'pydantic'} & set(sys.modules), 'PYDANTIC_DISABLE_PLUGINS' in os.environ)"
    )
    arguments = _arguments(_site(tmp_path), tmp_path / "policy")
    done = subprocess.run(
        [sys.executable, "-c", program, *arguments], capture_output=True, text=True, check=True
    )
    assert done.stdout.split() == ["0", "0", "set()", "False"]
    assert policy_file.load(tmp_path / "policy").school == "Mẫu"


@pytest.mark.parametrize("what", ["fork", "pidfd_open", "memfd_create"])
def test_where_the_system_refuses_what_a_fork_needs_it_is_started_afresh(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, what: str
) -> None:
    def refused(*_: object) -> int:
        raise PermissionError

    monkeypatch.setattr(os, what, refused)
    arguments = _arguments(_site(tmp_path), tmp_path / "policy")
    assert forked(arguments, LONG_S) == Ended(0, b"", b"")
    assert policy_file.load(tmp_path / "policy").school == "Mẫu"


def test_where_none_can_be_started_it_is_an_os_error(monkeypatch: pytest.MonkeyPatch) -> None:
    def refused(*_: object, **__: object) -> int:
        raise BlockingIOError

    monkeypatch.setattr(os, "fork", refused)
    monkeypatch.setattr(subprocess, "Popen", refused)
    with pytest.raises(BlockingIOError):
        forked([], LONG_S)


def _program(text: str) -> list[str]:
    return [sys.executable, "-c", f"import os, signal, sys\n{text}"]


def test_a_request_is_read_and_answered_however_long_both_are() -> None:
    request = b"x" * 3_000_000
    echo = _program("sys.stdout.buffer.write(sys.stdin.buffer.read())")
    ended = run(echo, limit_s=LONG_S, most_octets=len(request), request=request)
    assert ended == Ended(0, request, b"")


def test_one_that_writes_too_much_is_ended_and_nothing_of_it_is_taken() -> None:
    forever = _program("while True: os.write(1, b'x' * 4096)")
    ended = run(forever, limit_s=LONG_S, most_octets=100_000)
    assert (ended.code, ended.output, ended.is_too_long) == (-signal.SIGKILL, b"", True)


def test_control_within_the_bound_the_same_octets_are_taken() -> None:
    much = _program("sys.stdout.write('x' * 200_000)")
    assert run(much, limit_s=LONG_S, most_octets=200_000).output == b"x" * 200_000
    assert run(much, limit_s=LONG_S, most_octets=199_999).is_too_long


def test_of_a_fork_that_has_written_too_much_nothing_is_taken() -> None:
    def work() -> int:
        sys.stdout.write("x" * 101)
        return 0

    assert run_forked(work, limit_s=LONG_S, most_octets=101).output == b"x" * 101
    assert run_forked(work, limit_s=LONG_S, most_octets=100) == Ended(0, b"", b"", True)


def test_a_fork_that_may_write_much_and_writes_little_takes_little_memory() -> None:
    def work() -> int:
        os.write(1, b"x")
        return 0

    assert run_forked(work, limit_s=LONG_S, most_octets=1 << 50).output == b"x"


def test_its_last_words_are_one_line_without_control_characters() -> None:
    assert Ended(1, b"", "a\nKhông \x1b[31m".encode()).last_words == "Không \\x1b[31m"
    assert Ended(-11, b"", b"\n").last_words == "exit status -11"


def test_a_child_that_the_kernel_ends_met_a_limit() -> None:
    code = "import os, signal; os.kill(os.getpid(), signal.SIGKILL)"
    ended = bounded_child.run([sys.executable, "-c", code], limit_s=LONG_S, most_octets=100)
    assert "too little memory" in ended.last_words


def test_a_child_finds_the_program_that_started_it_and_nothing_else_is_given(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("FILTERD_SECRET", "1")
    given = bounded_child.environment(MORE="2")
    assert (Path(given["PYTHONPATH"]) / "filterd" / "base" / "bounded_child.py").is_file()
    assert given["MORE"] == "2"
    assert "FILTERD_SECRET" not in given


def _asked(monkeypatch: pytest.MonkeyPatch, work: str, limit_s: float = LONG_S) -> bytes:
    """Ask a child whose work is this expression."""
    code = (
        f"from filterd.base.bounded_child import answer; exit(answer(lambda given, output: {work}))"
    )
    monkeypatch.setattr(bounded_child, "command", lambda *_: [sys.executable, "-c", code])
    failed, too_long = say("no answer: {why}"), say("too late")
    request = {"text": "tiết"}
    return bounded_child.ask("x", request, failed, too_long, limit_s=limit_s, most_octets=999)


def test_a_request_is_answered(monkeypatch: pytest.MonkeyPatch) -> None:
    work = "print('to the errors') or output.write(given['text'].encode())"
    assert _asked(monkeypatch, work) == "tiết".encode()


@pytest.mark.parametrize(
    ("work", "code", "message"),
    [
        ("__import__('filterd.publish.no_such')", "store", r"no answer: ModuleNotFoundError: .*"),
        ("output.write(bytes(1_000))", "store", "no answer: exit status -9"),
        ("open('/no/such')", "store", "/no/such: No such file or directory"),
    ],
)
def test_what_went_wrong_in_a_child_is_raised_with_its_words(
    monkeypatch: pytest.MonkeyPatch, work: str, code: str, message: str
) -> None:
    with pytest.raises(FilterdError, match=message) as raised:
        _asked(monkeypatch, work)
    assert raised.value.code == code


def test_an_error_of_the_work_keeps_its_code(monkeypatch: pytest.MonkeyPatch) -> None:
    hostname = "__import__('filterd.policy.field_checks').policy.field_checks.name('a..b')"
    with pytest.raises(ConfigError, match=r"a\.\.b"):
        _asked(monkeypatch, hostname)


def test_a_child_that_is_late_is_ended(monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(StoreError, match="too late"):
        _asked(monkeypatch, "__import__('signal').pause()", limit_s=0.05)
