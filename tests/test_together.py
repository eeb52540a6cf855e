# SPDX-License-Identifier: Apache-2.0
"""The runner of the tests: each runs once, and every failure is reported."""

from __future__ import annotations

import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

from tests.support.commands import ROOT

if TYPE_CHECKING:
    from pathlib import Path

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


def _run(folder: Path, *texts: str, first: str = "", processes: int = 2) -> tuple[int, list[str]]:
    """Run files with these texts; return exit code and lines."""
    for number, text in enumerate(texts):
        (folder / f"test_{number}.py").write_text(text)
    words = [sys.executable, "-m", "tests.support.together", str(processes)]
    words += ["-p", "no:cacheprovider", f"--rootdir={folder}", "-c", "/dev/null"]
    done = subprocess.run(
        [*words, *([first] if first else ()), str(folder)],
        cwd=folder,
        env={"PYTHONPATH": str(ROOT), "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1"},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
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
