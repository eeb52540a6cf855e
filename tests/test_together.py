# SPDX-License-Identifier: Apache-2.0
"""The runner of the tests: each runs once, and every failure is reported."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tests.support import needs
from tests.support.commands import ROOT
from tests.support.processes import state_of
from tests.support.waiting import until

if TYPE_CHECKING:
    from collections.abc import Sequence

RAN = "open('ran', 'a').write(f'{__name__}\\n')"
PASSES = f"def test_it():\n    {RAN}\n"
SHARED = f"""\
import pytest
@pytest.fixture(scope="session")
def shared():
    {RAN.replace("{__name__}", "made")}
    yield
    {RAN.replace("{__name__}", "ended")}
"""
USES = PASSES.replace("()", "(shared)", 1)
ENDS_BADLY = SHARED.replace("    yield\n", "    yield\n    assert False, 'it ends badly'\n")
FAILS = f"{PASSES}    assert False, 'it is wrong'\n"
FAILS_FIRST = f"{PASSES}    assert open('ran').read().split().count(__name__) > 1\n"
KILLED = f"{PASSES}    import os; os.kill(os.getpid(), 9)\n"
WRONG = "import nothing_of_this_name\n"


SKIPPED = "from tests.support import needs\ndef test_it(): needs.lack('nft', '{}')\n"
LIMITED = """
from tests.support import time_limit
def pytest_configure(config):
    config.pluginmanager.register(time_limit)
"""
HANGS = """
import signal, subprocess
def test_it():
    child = subprocess.Popen(["sleep", "600"])
    open("child", "a").write(f"{{child.pid}}\\n")
    {}
    while True:
        signal.pause()
"""
HEARS_NOTHING = HANGS.format("signal.pthread_sigmask(signal.SIG_BLOCK, [signal.SIGALRM])")
CTRL_C = """
import os, signal
def test_it():
    os.killpg(0, signal.SIGINT)
    while True:
        signal.pause()
"""
CTRL_C_ALONE = f"""{CTRL_C.replace("test_it", "press")}
def test_it():
    {RAN}
    assert open('ran').read().split().count(__name__) == 1, press()
    assert False, 'it is wrong'
"""
CTRL_C_AT_IMPORT = f"{CTRL_C}test_it()\n"
CTRL_C_IN_FORK = """
import os, signal, time
fork = os.fork
def interrupted():
    pid = fork()
    while pid and not os.path.exists("runs"):
        time.sleep(0.01)
    if pid:
        os.kill(os.getpid(), signal.SIGINT)
    return pid
os.fork = interrupted
"""
RUNS_ON = """
import os, signal
def test_it():
    with open("pid", "w") as file:
        file.write(str(os.getpid()))
    os.rename("pid", "runs")
    while True:
        signal.pause()
"""
IN_NAMESPACES = """
import os
def test_it(needs_namespaces):
    open("namespace", "w").write(os.readlink("/proc/self/ns/net"))
"""


def _run(
    folder: Path,
    *texts: str,
    first: str = "",
    processes: int = 2,
    before: Sequence[str] = (),
    limit_s: int = 60,
) -> tuple[int, list[str]]:
    """Run files with these texts; return exit code and lines."""
    for number, text in enumerate(texts):
        (folder / f"test_{number}.py").write_text(text)
    words = [*before, sys.executable, "-m", "tests.support.together", str(processes)]
    words += ["-p", "no:cacheprovider", f"--rootdir={folder}", "-c", "/dev/null"]
    done = subprocess.run(
        [*words, *([first] if first else ()), str(folder)],
        cwd=folder,
        env={
            "PYTHONPATH": str(ROOT),
            "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1",
            "FILTERD_TEST_LIMIT_S": str(limit_s),
        },
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
        start_new_session=True,  # Ctrl-C means its processes, and no others
        # A shell lets what it starts in the background ignore Ctrl-C, and children inherit that.
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),
    )
    return done.returncode, done.stdout.splitlines()


def test_every_file_is_run_once_and_shares_what_lasts_a_session(tmp_path: Path) -> None:
    (tmp_path / "conftest.py").write_text(SHARED)
    code, lines = _run(tmp_path, *[USES] * 9)
    assert (code, lines[-1].partition(" in ")[0]) == (0, "9 passed")
    ran = (tmp_path / "ran").read_text().split()
    assert sorted(set(ran) - {"made", "ended"}) == [f"test_{n}" for n in range(9)]
    assert 1 <= ran.count("made") == ran.count("ended") <= 2, "once in each process"


@pytest.mark.parametrize(
    ("text", "closing", "sentence"),
    [
        (FAILS, "1 failed, 5 passed", "test_0.py::test_it fails alone"),
        (KILLED, "5 passed, 1 error", "ended with exit code -9 in test_0.py::test_it"),
    ],
)
def test_what_fails_in_one_file_hides_no_other(
    tmp_path: Path, text: str, closing: str, sentence: str
) -> None:
    code, lines = _run(tmp_path, text, *[PASSES] * 5)
    assert (code, lines[-1].partition(" in ")[0]) == (1, closing)
    assert any(sentence in line for line in lines)
    assert set((tmp_path / "ran").read_text().split()) == {f"test_{n}" for n in range(6)}


def test_what_fails_beside_others_and_passes_alone_is_named_and_is_no_failure(
    tmp_path: Path,
) -> None:
    code, lines = _run(tmp_path, FAILS_FIRST, *[PASSES] * 5)
    assert code == 0
    assert lines[-1].startswith("1 failed, 5 passed in ")
    assert lines[-1].endswith("; test_0.py::test_it passes alone")


def test_where_many_fail_none_gets_another_try(tmp_path: Path) -> None:
    code, lines = _run(tmp_path, *[FAILS_FIRST] * 21)
    assert (code, lines[-1].partition(" in ")[0]) == (1, "21 failed")
    assert "alone" not in lines[-1]


def test_files_that_are_named_run_first_and_the_others_by_turns(tmp_path: Path) -> None:
    _, lines = _run(tmp_path, *[PASSES] * 5, first="test_4.py", processes=1)
    ran = (tmp_path / "ran").read_text().split()
    assert ran == [f"test_{n}" for n in (4, 0, 2, 3, 1)]
    assert lines[-1].startswith("5 passed in ")


def test_what_fails_at_the_end_of_the_session_is_reported(tmp_path: Path) -> None:
    (tmp_path / "conftest.py").write_text(ENDS_BADLY)
    code, lines = _run(tmp_path, USES)
    assert (code, lines[-1].partition(" in ")[0]) == (1, "1 passed, 1 error")
    assert any("AssertionError: it ends badly" in line for line in lines)


def test_a_file_that_cannot_be_read_is_an_error(tmp_path: Path) -> None:
    code, lines = _run(tmp_path, WRONG, PASSES)
    assert code == 1
    assert " error" in lines[-1]


def test_skips_are_counted_by_reason(tmp_path: Path) -> None:
    texts = [SKIPPED.format(reason) for reason in ("sudo apt", "sudo apt", "a kernel")]
    code, lines = _run(tmp_path, PASSES, *texts)
    assert code == 0
    assert lines[-4:-1] == [
        "skipped, by reason:",
        "       2 needs nft: sudo apt",
        "       1 needs nft: a kernel",
    ]
    assert lines[-1].startswith("1 passed, 3 skipped in ")
    assert lines[-1].endswith("; 3 fewer than where all that they need is there")


def test_a_run_of_which_all_was_skipped_fails(tmp_path: Path) -> None:
    code, lines = _run(tmp_path, SKIPPED.format("sudo apt"), SKIPPED.format("sudo apt"))
    assert code == 1
    assert lines[-1].endswith("; nothing was tested: all 2 were skipped")


def _has_ended(pid: int) -> bool:
    try:
        return state_of(pid) == "Z"
    except OSError:
        return True


def _children(folder: Path) -> list[int]:
    """Return the processes that the tests of a run have started."""
    return [int(pid) for pid in (folder / "child").read_text().split()]


def test_a_test_that_hangs_fails_and_its_children_end(tmp_path: Path) -> None:
    (tmp_path / "conftest.py").write_text(LIMITED)
    code, lines = _run(tmp_path, HANGS.format(""), PASSES, limit_s=1)
    assert code == 1
    assert any("TimeIsUpError: it took more than 1 s" in line for line in lines)
    # A busy machine may take the second before the test itself begins.
    assert lines[-1].startswith(("1 failed, 1 passed in ", "1 passed, 1 error in "))
    assert lines[-1].endswith("; test_0.py::test_it fails alone")
    assert all(map(_has_ended, _children(tmp_path)))


def test_what_serves_other_tests_outlives_one_that_hangs(tmp_path: Path) -> None:
    (tmp_path / "conftest.py").write_text(LIMITED)
    hangs = HANGS.format("LASTING.add(child.pid)")
    text = f"from tests.support.processes import LASTING\n{hangs}"
    _run(tmp_path, text, PASSES, limit_s=3)
    children = _children(tmp_path)
    assert not any(map(_has_ended, children))
    for child in children:
        os.kill(child, signal.SIGKILL)


def test_a_process_that_hears_no_alarm_is_ended_and_the_others_go_on(tmp_path: Path) -> None:
    (tmp_path / "conftest.py").write_text(LIMITED)
    code, lines = _run(tmp_path, HEARS_NOTHING, *[PASSES] * 3, limit_s=1, processes=1)
    assert code == 1
    assert lines[-1].startswith("3 passed, 1 error in ")
    assert "; test_0.py::test_it hung for 3 s and was ended" in lines[-1]
    assert all(map(_has_ended, _children(tmp_path)))


@pytest.mark.parametrize(
    ("texts", "closing"),
    [
        ((FAILS, CTRL_C, PASSES), "stopped by Ctrl-C: 2 were not run"),
        ((CTRL_C_ALONE, PASSES), "stopped by Ctrl-C while they ran alone"),
    ],
)
def test_what_has_failed_is_told_when_ctrl_c_ends_the_run(
    tmp_path: Path, texts: Sequence[str], closing: str
) -> None:
    code, lines = _run(tmp_path, *texts, processes=1)
    assert code == 130
    assert any(line.startswith("test_0.py:") for line in lines), "where it went wrong"
    assert lines[-4:-1] == [
        "failed, by cause:",
        "       1 AssertionError: it is wrong",
        "         test_0.py::test_it",
    ]
    assert lines[-1].startswith("1 failed")
    assert lines[-1].endswith(f"; {closing}")


def test_ctrl_c_before_a_failure_tells_of_none(tmp_path: Path) -> None:
    code, lines = _run(tmp_path, PASSES, CTRL_C, PASSES, processes=1)
    assert code == 130
    assert lines[-1].startswith("1 passed in ")
    assert lines[-1].endswith("; stopped by Ctrl-C: 2 were not run")
    assert not any("failed" in line for line in lines)


def test_ctrl_c_while_tests_are_read_ends_the_run(tmp_path: Path) -> None:
    code, _ = _run(tmp_path, PASSES, CTRL_C_AT_IMPORT)
    assert code == 130
    assert not (tmp_path / "ran").exists()


def test_a_process_that_is_made_after_ctrl_c_does_not_run_on(tmp_path: Path) -> None:
    """A signal that waits for the process that forks does not reach the one that it makes."""
    (tmp_path / "conftest.py").write_text(CTRL_C_IN_FORK)
    code, lines = _run(tmp_path, RUNS_ON, processes=1)
    assert code == 130
    assert lines[-1].endswith("; stopped by Ctrl-C: 1 were not run")
    program = Path("/proc", (tmp_path / "runs").read_text(), "exe")
    until(lambda: not program.exists(), "its end")


def test_namespaces_are_entered_where_a_user_may(tmp_path: Path) -> None:
    """Root is such a user without two of its capabilities."""
    if not needs.may_enter_own():
        needs.lack("namespaces of users", "sudo sysctl user.max_user_namespaces=1000")
    (tmp_path / "conftest.py").write_text(
        "from tests.support import needs\nglobals().update(needs.FIXTURES)\n"
    )
    before = ("setpriv", "--bounding-set=-net_admin,-sys_admin") if needs.is_root() else ()
    code, lines = _run(tmp_path, IN_NAMESPACES, PASSES, before=before)
    assert (code, lines[-1].partition(" in ")[0]) == (0, "2 passed")
    assert (tmp_path / "namespace").read_text() != str(Path("/proc/self/ns/net").readlink())
