# SPDX-License-Identifier: Apache-2.0
"""What changed makes its own steps due; a step shows its progress and ends with the set-up."""

from __future__ import annotations

import io
import sys
import threading
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from deploy.checkout import tree_products
from deploy.checkout.children import Children, EndedError, StepError, clean_environment
from deploy.checkout.facts import Facts
from deploy.checkout.native_code import Toolchain, compile_module, native_modules
from deploy.checkout.pip_run import Counting, why_it_failed
from deploy.checkout.progress import Progress
from deploy.checkout.project import Project
from deploy.checkout.set_up_plan import NATIVE, PACKAGES, PRODUCTS, TESTS, TOOLS, Plan
from deploy.checkout.set_up_record import REDOES, due_steps, read_record, record_text

if TYPE_CHECKING:
    from collections.abc import Sequence

ROOT = Path(__file__).resolve().parents[2]
MADE = dict.fromkeys(REDOES, "1")
FACTS = Facts("3.13", "/usr/bin/python3.13", ".so", ("gcc",), "gcc 14", "/include", "pip.whl", "x")
ABOUT = "Python 3.13 on x86_64"


@pytest.mark.parametrize(
    ("changed", "layer", "due"),
    [
        ((), "test", set()),
        (("python",), "run", {"run"}),
        (("python",), "test", {"run", "test"}),
        (("run",), "run", {"run"}),
        (("run", "folder"), "run", {"run"}),
        (("folder",), "test", {"scripts"}),
        (("test",), "run", set()),
        (("test",), "test", {"test"}),
        (("native",), "run", {"native"}),
        (("messages", "pages"), "run", {"messages", "pages"}),
        (("bytecode",), "run", {"bytecode"}),
    ],
)
def test_a_change_makes_due_what_depends_on_it_only(
    changed: Sequence[str], layer: str, due: set[str]
) -> None:
    assert due_steps(MADE, MADE | dict.fromkeys(changed, "2"), layer) == due


def test_at_first_all_is_due() -> None:
    assert due_steps({}, MADE, "run") == {"run", "native", "messages", "pages", "bytecode"}
    assert due_steps({}, MADE, "test") - due_steps({}, MADE, "run") == {"test"}


@pytest.mark.parametrize("text", ["", "{", "[1]", '{"format": 0, "run": "1"}'])
def test_a_record_that_cannot_be_read_is_none(tmp_path: Path, text: str) -> None:
    (tmp_path / "record").write_text(text)
    assert read_record(tmp_path / "record") == read_record(tmp_path / "absent") == {}
    (tmp_path / "record").write_text(record_text(MADE))
    assert due_steps(read_record(tmp_path / "record"), MADE, "test") == set()


@pytest.mark.parametrize(
    "changed",
    [{"compiled_by": "gcc 15"}, {"include": "/other"}, {"extension": ".cpython-311.so"}],
)
def test_another_compiler_or_python_compiles_the_native_modules_again(
    changed: dict[str, str],
) -> None:
    other = replace(FACTS, **changed)  # type: ignore[arg-type]
    before, after = (tree_products.wanted_products(one, "1") for one in (FACTS, other))
    assert {part for part in before if before[part] != after[part]} == {"native"}
    assert tree_products.variant(FACTS) != tree_products.variant(other)


def test_a_compiler_that_comes_later_is_a_change() -> None:
    without = replace(FACTS, compiler=(), compiled_by="")
    assert tree_products.wanted_products(without, "1")["native"] == "no compiler"
    assert tree_products.wanted_products(FACTS, "1")["native"] != "no compiler"


def test_the_steps_are_those_that_are_due(tmp_path: Path) -> None:
    project = Project("1", (), ("idna",), (), "")
    plan = Plan(FACTS, project, "run", tmp_path / ".venv", None)
    plan.due = {"run", "native", "messages"}
    assert plan.steps == [TOOLS, PACKAGES, NATIVE, PRODUCTS]
    assert plan.cost_mb > 0
    assert replace(plan, wheels=tmp_path).cost_mb == 0, "a folder of wheels costs no network"
    plan.made, plan.due = {"run": "1", "test": "1"}, {"messages"}
    assert plan.steps == [PRODUCTS], "the environment of the tests has Babel"
    plan.made, plan.due = {"run": "1"}, {"test"}
    assert plan.steps == [TESTS]
    assert plan.must_fetch


def test_pip_s_lines_become_a_count() -> None:
    counting = Counting(3)
    lines = ["Collecting idna>=3", "  Downloading idna-3.whl", "Collecting idna", "Collecting h11"]
    assert [counting.read(line) for line in lines] == ["1 of 3", "1 of 3", "1 of 3", "2 of 3"]
    assert counting.read("Installing collected packages: idna, h11") == "2 of 2, installing"
    assert counting.installed == 2


_BROKEN = (
    "WARNING: Retrying (Retry(total=4)) after connection broken by 'NewConnectionError("
    "\"HTTPSConnection(host='index.example', port=443): Failed to establish a new connection: "
    "[Errno 101] Network is unreachable\")': /simple/idna/"
)
_ABSENT = [
    "ERROR: Cannot install idna>=3.7 because these versions have conflicting dependencies.",
    "    The user requested idna>=3.7",
    "    The user requested (constraint) idna==3.20",
]
_NONE = "ERROR: No matching distribution found for idna>=3.7"


@pytest.mark.parametrize(
    ("lines", "wheels", "sentence"),
    [
        ([_BROKEN, _NONE], None, "index.example cannot be reached (Network is unreachable)"),
        ([_NONE], "wheels", f"wheels/ has no idna for {ABOUT}: run `make wheels`"),
        ([*_ABSENT, "ERROR: ResolutionImpossible"], "wheels", "wheels/ has no idna for"),
        ([_NONE], None, "the package index has no idna that constraints.txt asks for"),
        (
            ["    h11 0.16 depends on idna<3", "ERROR: ResolutionImpossible: for help visit x"],
            None,
            f"constraints.txt does not fit {ABOUT}: h11 0.16 depends on idna<3",
        ),
        (["ERROR: [Errno 28] No space left on device"], None, "the disk is full"),
        (["Traceback", "KeyError: 'x'", ""], None, "pip failed: KeyError: 'x'"),
        ([], None, "pip failed: it wrote nothing"),
    ],
)
def test_a_failure_of_pip_is_one_sentence(
    lines: list[str], wheels: str | None, sentence: str
) -> None:
    found = why_it_failed(lines, ABOUT, Path(wheels) if wheels else None)
    assert found.startswith(sentence)
    assert "\n" not in found
    assert "Resolution" not in found


def test_a_terminal_has_one_line_that_is_renewed_and_a_file_has_lines() -> None:
    class Clock:
        def monotonic(self) -> float:
            return 1.0

        def wall(self) -> float:
            return 1.0

    for terminal in (True, False):
        out = io.StringIO()
        progress = Progress(["a", "b"], out, terminal=terminal, clock=Clock())
        progress.begin("a")
        progress.update("a", "1 of 2")
        progress.end("a", "2 packages")
        progress.close()
        lines = [line.rpartition("\r\x1b[K")[2] for line in out.getvalue().split("\n")]
        assert "  1/2 a: 2 packages, 0.0 s" in lines
        assert ("1 of 2" in out.getvalue()) is terminal


def test_children_end_with_the_set_up_and_none_begins_any_more() -> None:
    children = Children()
    began = threading.Event()
    failures = list[BaseException]()

    def wait_for_ever() -> None:
        words = [sys.executable, "-c", "print('on', flush=True); input()"]
        reads = ["sh", "-c", 'sleep 1000 & exec "$@"', "sh", *words]
        try:
            children.run(reads, on_line=lambda _: began.set(), given="")
        except EndedError as error:
            failures.append(error)

    thread = threading.Thread(target=wait_for_ever)
    thread.start()
    children_began = began.wait(30)
    children.end_all()
    thread.join(30)
    assert children_began
    assert not thread.is_alive()
    with pytest.raises(EndedError):
        children.run(["true"])


def test_a_command_that_fails_is_a_sentence_of_its_last_line() -> None:
    with pytest.raises(StepError, match=r"^pages: no paper$"):
        Children().must(["sh", "-c", "echo begun; echo no paper >&2; exit 3"], "pages")


def test_variables_that_lead_pip_or_python_elsewhere_are_not_handed_on() -> None:
    given = {"PYTHONPATH": "/x", "PIP_TARGET": "/x", "VIRTUAL_ENV": "/x", "PIP_CERT": "/c"}
    found = clean_environment(given, {"COLUMNS": "400"})
    assert not {"PYTHONPATH", "PIP_TARGET", "VIRTUAL_ENV"} & set(found)
    assert (found["PIP_CERT"], found["COLUMNS"], found["PIP_USER"]) == ("/c", "400", "0")


def test_a_module_is_translated_and_compiled_once_for_its_sources(tmp_path: Path) -> None:
    ran = list[str]()

    def run(words: Sequence[str | Path], _: Path) -> None:
        ran.append(str(words[0]))
        option = "-o" if "-o" in words else "--output-file"
        Path(words[list(words).index(option) + 1]).write_text("made")

    tools = Toolchain(("python",), ("gcc",), ("-I/include",), run)
    module = native_modules(ROOT)[0]
    library = compile_module(ROOT, tmp_path, module, "313-a", tools)
    assert library.read_text() == "made"
    assert compile_module(ROOT, tmp_path, module, "313-a", tools) == library
    assert ran == ["python", "gcc"]
    compile_module(ROOT, tmp_path, module, "311-a", tools)
    assert ran == ["python", "gcc", "gcc"], "the C is the same for another Python"


def test_a_compilation_that_fails_keeps_nothing(tmp_path: Path) -> None:
    def run(words: Sequence[str | Path], _: Path) -> None:
        Path(words[list(words).index("--output-file") + 1]).write_text("half")
        raise StepError("it broke")

    tools = Toolchain(("python",), ("gcc",), (), run)
    with pytest.raises(StepError):
        compile_module(ROOT, tmp_path, native_modules(ROOT)[0], "313-a", tools)
    assert [path for path in tmp_path.rglob("*") if path.is_file()] == []
