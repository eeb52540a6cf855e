# SPDX-License-Identifier: Apache-2.0
"""Set up what a target of the Makefile needs: only what is missing or was made of other things.

Packages come beside the build tools; as soon as Cython is there, native modules are compiled, one
a core. A failure or Ctrl-C leaves the environment as it was.
"""

from __future__ import annotations

import argparse
import contextlib
import os
import re
import shutil
import signal
import sys
import tempfile
import tomllib
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from deploy.checkout import tree_products
from deploy.checkout.facts import ROOT, gather_facts
from deploy.checkout.set_up_record import (
    RECORD,
    digest,
    due_steps,
    read_record,
    record_text,
)
from deploy.checkout.target_needs import fetches, judge, this_machine
from filterd.clock import SystemClock

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from concurrent.futures import Future

    from deploy.checkout.children import Children
    from deploy.checkout.environment_folder import EnvironmentFolder
    from deploy.checkout.facts import Facts
    from deploy.checkout.pip_run import Pip
    from deploy.checkout.progress import Progress

TOOLS, PACKAGES, NATIVE = "build tools", "run-time packages", "native modules"
PRODUCTS, TESTS = "messages, pages, bytecode", "packages of the tests"
_COSTS_MB = {TOOLS: 15, PACKAGES: 25, TESTS: 115}
"""What is fetched for a step."""
_LEAST_FREE_MB = {"run": 300, "test": 1_200}
_SCRIPT = b"""\
import sys
from filterd.cli.entry import main
if __name__ == "__main__":
    sys.exit(main())
"""
_TAGS = re.compile(r"-cp(3)(\d+)-(?!abi3)\w+-(?!any)([\w.]+)\.whl$")


@dataclass(frozen=True)
class Project:
    """What ``pyproject.toml`` and ``constraints.txt`` ask for."""

    version: str
    build: tuple[str, ...]
    run: tuple[str, ...]
    test: tuple[str, ...]
    pinned: str

    @property
    def packages(self) -> str:
        """The digest of the layer run."""
        return digest(["run", self.version, self.pinned, *self.run])


def read_project() -> Project:
    """Read what the checkout asks for."""
    settings = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    version = (ROOT / "filterd" / "version.py").read_text(encoding="utf-8")
    found = re.search(r'__version__ = "(.+)"', version)
    assert found
    return Project(
        found[1],
        tuple(settings["build-system"]["requires"]),
        tuple(settings["project"]["dependencies"]),
        tuple(settings["project"]["optional-dependencies"]["dev"]),
        (ROOT / "constraints.txt").read_text(encoding="utf-8"),
    )


@dataclass
class Plan:
    """What is due, and of what it is made."""

    facts: Facts
    project: Project
    layer: str
    final: Path
    wheels: Path | None
    environment: dict[str, str] = field(default_factory=dict)
    products: dict[str, str] = field(default_factory=dict)
    made: dict[str, Any] = field(default_factory=dict)
    due: set[str] = field(default_factory=set)

    def judge(self) -> None:
        """Compare what was made with what is wanted."""
        facts, project = self.facts, self.project
        self.environment = {
            "python": f"{facts.python} {facts.extension} {facts.executable}",
            "folder": str(self.final),
            "run": project.packages,
            "test": digest(["test", project.pinned, *project.test]),
        }
        self.products = tree_products.wanted_products(facts, project.packages)
        self.made = read_record(self.final / RECORD)
        if not (self.final / "bin" / "python").exists():
            self.made = {}
        layer = "test" if "test" in self.made else self.layer  # what is there stays
        self.due = due_steps(self.made, self.environment, layer)
        products = tree_products.made_products(facts)
        self.due |= due_steps(products, self.products, self.layer)
        if self.due == {"bytecode"} and products.get("bytecode"):
            self.due.clear()  # a module that was edited: Python itself compiles it
        if not facts.compiles and tree_products.has_libraries(facts):
            self.due.discard("native")  # what another compiler made of these sources

    @property
    def has_tools(self) -> bool:
        """Whether the environment itself has Cython and Babel."""
        return "test" in self.made and not self.due & {"run", "test"}

    @property
    def compiles(self) -> bool:
        """Whether something is to be compiled by Cython."""
        return (
            "native" in self.due
            and self.facts.compiles
            and bool(tree_products.absent_libraries(self.facts))
        )

    @property
    def needs_tools(self) -> bool:
        """Whether build tools are fetched."""
        return not self.has_tools and (self.compiles or "messages" in self.due)

    @property
    def fetches(self) -> bool:
        """Whether anything is fetched."""
        return bool(self.due & {"run", "test"}) or self.needs_tools

    @property
    def must_fetch(self) -> bool:
        """Whether it fails where nothing can be fetched: native modules may wait."""
        return bool(self.due & {"run", "test"}) or (self.needs_tools and "messages" in self.due)

    @property
    def steps(self) -> list[str]:
        """The steps, as they are shown."""
        shown = {
            TOOLS: self.needs_tools,
            PACKAGES: "run" in self.due,
            NATIVE: "native" in self.due and self.facts.compiles,
            PRODUCTS: bool(self.due & {"messages", "pages", "bytecode"}),
            TESTS: "test" in self.due,
        }
        return [step for step, is_due in shown.items() if is_due]

    @property
    def about(self) -> str:
        """The Python and the processor, for sentences."""
        return f"Python {self.facts.python} on {self.facts.machine}"


def lacking(
    plan: Plan, free_mb: Callable[[Path], int], may: Callable[[Path, int], bool]
) -> list[str]:
    """Return what the machine lacks for what is due, without asking the network.

    Args:
        plan: what is due.
        free_mb: returns the free space at a folder.
        may: returns whether this user may do something to a folder, as ``os.access`` does.
    """
    sentences = []
    above = next(one for one in plan.final.parents if one.exists())
    if plan.fetches and not plan.facts.pip:
        sentences.append(
            f"{plan.facts.executable} cannot make a virtual environment: "
            "sudo apt install python3-venv"
        )
    sentences += [
        f"{folder} is not yours to write: run make as {_owner(folder)}"
        for folder in sorted({ROOT, above})
        if plan.due and not may(folder, os.W_OK)
    ]
    if plan.due & {"run", "test"}:
        most = _LEAST_FREE_MB["test" if "test" in plan.due else "run"]
        free = free_mb(above)
        if free < most:
            sentences.append(f"{above} has {free} MB free, and {most} are needed")
    if plan.fetches and plan.wheels and (wrong := wheels_of_another(plan)):
        sentences.append(wrong)
    return sentences


def _owner(folder: Path) -> str:
    try:
        return folder.owner()
    except KeyError:  # a user without a name
        return f"user {folder.stat().st_uid}"


def wheels_of_another(plan: Plan) -> str:
    """Return a sentence where the folder of wheels is that of another Python or processor."""
    assert plan.wheels is not None
    tags = [found for one in plan.wheels.glob("*.whl") if (found := _TAGS.search(one.name))]
    kinds = {(f"{tag[1]}.{tag[2]}", tag[3].rpartition("manylinux")[2]) for tag in tags}
    machines = {machine for _, machine in kinds}
    if not kinds or any(
        python == plan.facts.python and plan.facts.machine in machine for python, machine in kinds
    ):
        return ""
    pythons = sorted({python for python, _ in kinds})
    known = [one for one in ("x86_64", "aarch64") if any(one in machine for machine in machines)]
    return (
        f"{plan.wheels.name}/ is for Python {' and '.join(pythons)} on {' and '.join(known)}, and "
        f"this is {plan.about}: run `make wheels` with this Python on a machine with the "
        f"Internet, or remove {plan.wheels.name}/"
    )


def without_compiler(facts: Facts) -> str:
    """Return the warning of a machine that cannot compile; empty where it can."""
    absent = [] if facts.compiler else ["gcc"]
    absent += [] if facts.include else ["python3-dev"]
    if not absent:
        return ""
    return (
        f"no native modules: sudo apt install {' '.join(absent)}, and the next make compiles "
        "them; until then plain Python serves, slower"
    )


def main(words: list[str]) -> int:
    """Set up a layer for a target; return the exit code."""
    parser = argparse.ArgumentParser(prog="deploy/checkout", description=__doc__)
    parser.add_argument("layer", choices=["run", "test", "wheels"])
    parser.add_argument("--for", dest="target", default="setup")
    parser.add_argument("--venv", default=".venv")
    parser.add_argument("--wheels", default="wheels")
    parser.add_argument("words", nargs="*", help="of the target")
    asked = parser.parse_args(words)
    for stream in (sys.stdout, sys.stderr):
        stream.reconfigure(errors="backslashreplace")  # type: ignore[union-attr]
    os.chdir(ROOT)
    facts = gather_facts()
    folder = Path(asked.wheels)
    wheels = folder.absolute() if any(folder.glob("*.whl")) else None
    final = Path(os.path.realpath(asked.venv))
    layer = "test" if asked.layer == "test" else "run"
    fill = folder if asked.layer == "wheels" else None
    plan = Plan(facts, read_project(), layer, final, None if fill else wheels)
    machine = this_machine(facts.include)
    lacks, left_out = judge(asked.target, machine, " ".join(asked.words))
    for sentence in left_out:
        print(f"make {asked.target}: {sentence}", flush=True)
    if fill is None:
        plan.judge()
    lacks += lacking(plan, lambda folder: shutil.disk_usage(folder).free // 10**6, os.access)
    with _ending_signals() as ended_by:
        try:
            return _do(plan, asked.target, lacks, fill)
        except KeyboardInterrupt:
            print(
                f"\nmake {asked.target}: interrupted; the next make goes on by itself",
                file=sys.stderr,
            )
            return 128 + (ended_by[0] if ended_by else signal.SIGINT)
        except OSError as error:
            place = error.filename or plan.final
            print(f"make {asked.target}: {place}: {error.strerror or error}", file=sys.stderr)
            return 1


def _do(plan: Plan, target: str, lacks: list[str], fill: Path | None) -> int:
    """Say what is missing, or set up; return the exit code."""
    if lacks or (fetches(target) and not plan.must_fetch):
        lacks += _unreachable(plan)
    for sentence in lacks:
        print(f"make {target}: {sentence}", file=sys.stderr)
    if lacks:
        return 1
    if not (plan.due or fill or _left_beside(plan.final)):
        return 0
    try:
        return _set_up(plan, target, fill)
    except _NothingToDoError:
        return 0


@contextlib.contextmanager
def _ending_signals() -> Iterator[list[int]]:
    """Raise KeyboardInterrupt at the first signal that ends; yield where its number will be."""
    got = list[int]()

    def end(number: int, _: object) -> None:
        got.append(number)
        if len(got) == 1:
            raise KeyboardInterrupt

    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        if signal.getsignal(number) is not signal.SIG_IGN:
            signal.signal(number, end)
    yield got


class _NothingToDoError(Exception):
    """Another set-up is at work, and this one has nothing to do."""


def _left_beside(final: Path) -> bool:
    """Return whether a killed set-up has left a folder."""
    return any(final.with_name(f"{final.name}{end}").exists() for end in (".new", ".old"))


def _unreachable(plan: Plan) -> list[str]:
    """Return a sentence where the package index cannot be reached, if it is needed."""
    from deploy.checkout.children import Children  # noqa: PLC0415 -- where something is missing
    from deploy.checkout.pip_run import unpack_pip  # noqa: PLC0415

    if plan.wheels or not plan.facts.pip:
        return []
    with tempfile.TemporaryDirectory() as folder:
        script = unpack_pip(Path(plan.facts.pip), Path(folder))
        return offline(plan, Children(), script)


def offline(plan: Plan, children: Children, script: Path) -> list[str]:
    """Return a sentence where nothing can be fetched.

    Args:
        plan: what is due.
        children: run pip.
        script: pip.
    """
    from deploy.checkout.package_index import find_source, why_unreachable  # noqa: PLC0415
    from deploy.checkout.pip_run import unreachable  # noqa: PLC0415

    source = find_source(children, plan.facts.executable, script)
    first = re.split(r"\W", plan.project.run[0])[0]
    host, why = why_unreachable(source, first)
    return [unreachable(host, why, plan.about)] if host else []


def _set_up(plan: Plan, target: str, fill: Path | None) -> int:
    from deploy.checkout.children import Children, StepError  # noqa: PLC0415 -- where work is due
    from deploy.checkout.environment_folder import EnvironmentFolder, locked  # noqa: PLC0415

    def waits(holder: str) -> None:
        if not plan.due and fill is None:  # what lies beside is the other one's
            raise _NothingToDoError
        who = f" (process {holder})" if holder else ""
        print(f"set-up: another make is setting up{who}; waiting for it", flush=True)

    clock = SystemClock()
    began = clock.monotonic()
    with locked(tree_products.FOLDER / "lock", waits) as lock:
        children = Children([lock])
        environment = EnvironmentFolder(plan.final)
        try:
            plan.final.parent.mkdir(parents=True, exist_ok=True)
            environment.recover()
            with _tools_folder() as tools:
                run = SetUp(plan, children, environment, tools)
                if fill is not None:
                    run.fill(fill)
                    return 0
                plan.judge()  # anew: what waited may find all done
                if plan.due:
                    run.all()
                    size = tree_products.size_mb(plan.final)
                    name = os.path.relpath(plan.final)
                    took_s = clock.monotonic() - began
                    print(f"set-up: ready in {took_s:.1f} s; {name} has {size} MB", flush=True)
        except StepError as error:
            stays = "; the environment is as it was" if plan.made else ""
            print(f"make {target}: {error}{stays}", file=sys.stderr)
            return 1
        finally:
            children.end_all()
            environment.recover()
    return 0


@contextlib.contextmanager
def _tools_folder() -> Iterator[Path]:
    """Yield an empty folder for pip and the build tools, which is removed at the end."""
    folder = tree_products.FOLDER / "tools"
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)


class SetUp:
    """The steps of one set-up."""

    def __init__(
        self, plan: Plan, children: Children, environment: EnvironmentFolder, tools: Path
    ) -> None:
        self._plan, self._children, self._environment = plan, children, environment
        self._tools = tools
        self._progress: Progress
        self._pip: Pip

    def fill(self, folder: Path) -> None:
        """Fill a folder with the wheels of all layers."""
        project = self._plan.project
        self._unpack()
        print(f"{folder}: wheels of {self._plan.about} ...", flush=True)
        self._pip.fill(
            self._plan.facts.executable, [*project.build, *project.run, *project.test], folder
        )
        count = len(list(folder.glob("*.whl")))
        print(f"{folder}: {count} wheels; copy the folder into a checkout without the Internet")

    def all(self) -> None:
        """Do all that is due; show each step."""
        from concurrent.futures import FIRST_EXCEPTION, ThreadPoolExecutor, wait  # noqa: PLC0415

        from deploy.checkout.progress import Progress  # noqa: PLC0415

        plan = self._plan
        steps = plan.steps
        cost = sum(_COSTS_MB.get(step, 0) for step in steps) if plan.wheels is None else 0
        compiler = " ".join(plan.facts.compiled_by.split()[:2]) or "no compiler"
        what = f"Python {plan.facts.python}, {compiler}{f'; about {cost} MB to fetch' * bool(cost)}"
        self._progress = Progress(steps, sys.stdout, terminal=_is_terminal())
        self._progress.say(f"set-up of {os.path.relpath(plan.final)}: {what}")
        if "native" in plan.due and not plan.facts.compiles:
            self._progress.say(f"  warning: {without_compiler(plan.facts)}")
        if plan.fetches:
            self._unpack()
        pool = ThreadPoolExecutor(8)
        try:
            tools = pool.submit(self._make_tools)
            packages = pool.submit(self._make_packages)
            left = {
                packages,
                pool.submit(self._make_native, tools),
                pool.submit(self._make_products, tools, packages),
                pool.submit(self._check_network),
            }
            while left:
                done, left = wait(left, timeout=0.5, return_when=FIRST_EXCEPTION)
                for job in done:
                    job.result()
        except BaseException:
            self._children.end_all()
            self._progress.close()
            raise
        finally:
            pool.shutdown(cancel_futures=True)
        self._progress.close()

    def _unpack(self) -> None:
        from deploy.checkout.pip_run import Pip, unpack_pip  # noqa: PLC0415 -- where work is due

        plan = self._plan
        script = unpack_pip(Path(plan.facts.pip), self._tools)
        self._script = script
        self._pip = Pip(self._children, script, plan.wheels, plan.facts.python, plan.facts.machine)

    def _check_network(self) -> None:
        from deploy.checkout.children import StepError  # noqa: PLC0415

        plan = self._plan
        if plan.must_fetch and plan.wheels is None:
            for sentence in offline(plan, self._children, self._script):
                raise StepError(sentence)

    def _make_tools(self) -> str | Path:
        """Return a Python that has Cython and Babel."""
        plan = self._plan
        if not plan.needs_tools:
            return plan.final / "bin" / "python"
        progress = self._progress
        progress.begin(TOOLS)
        folder = self._tools / "environment"
        self._make_environment(folder)
        python = folder / "bin" / "python"
        count = self._pip.install(
            python,
            plan.project.build,
            lambda text: progress.update(TOOLS, text),
            len(plan.project.build),
        )
        progress.end(TOOLS, f"{count} packages, removed at the end")
        return python

    def _make_environment(self, folder: Path) -> None:
        words = [self._plan.facts.executable, "-m", "venv", "--without-pip"]
        prompt = f"--prompt={self._environment.final.name}"
        self._children.must([*words, prompt, folder], "the virtual environment")

    def _make_packages(self) -> None:
        plan, folder = self._plan, self._environment
        # Where one is in force, both layers come at once: it may have the packages of the tests.
        at_once = {"run", "test"} <= plan.due and folder.final.exists()
        if "run" in plan.due:
            self._progress.begin(PACKAGES)
            self._make_environment(folder.new)
            count = self._install(PACKAGES, plan.project.run, _count_of_lock())
            add_project(folder.new, plan.final, plan.project)
            tree_products.strip_libraries(self._children, folder.new)
            tree_products.make_bytecode(
                self._children, folder.python, folder.new.rglob("site-packages/**/*.py")
            )
            if not at_once:
                folder.install(self._record("python", "folder", "run"))
            self._progress.end(PACKAGES, f"{count} packages")
        elif "scripts" in plan.due:
            from deploy.checkout.environment_folder import replace_file, retarget  # noqa: PLC0415

            retarget(plan.final, plan.made["folder"], plan.final)
            add_project(plan.final, plan.final, plan.project)
            parts = [part for part in plan.made if part != "format"]
            replace_file(plan.final / RECORD, self._record(*parts).encode())
        if "test" in plan.due:
            self._progress.begin(TESTS)
            if not at_once:
                folder.begin_from_old()
            expected = plan.project.pinned.count("==") - _count_of_lock()
            count = self._install(TESTS, plan.project.test, expected)
            fresh = (one for one in folder.new.rglob("site-packages/**/*.py") if _is_fresh(one))
            tree_products.make_bytecode(self._children, folder.python, fresh)
            folder.install(self._record("python", "folder", "run", "test"))
            self._progress.end(TESTS, f"{count} packages")

    def _install(self, step: str, requirements: tuple[str, ...], expected: int) -> int:
        return self._pip.install(
            self._environment.python,
            requirements,
            lambda text: self._progress.update(step, text),
            expected,
        )

    def _record(self, *parts: str) -> str:
        return record_text({part: self._plan.environment[part] for part in parts})

    def _make_native(self, tools: Future[str | Path]) -> None:
        """Compile the native modules, one a core; what fails is left to plain Python."""
        from deploy.checkout.children import StepError  # noqa: PLC0415 -- where work is due

        plan = self._plan
        if "native" not in plan.due:
            return
        if not plan.facts.compiles:
            tree_products.note_product(plan.facts, "native", plan.products["native"])
            return
        try:
            python = tools.result() if plan.compiles else ""
        except StepError as error:
            if plan.must_fetch:
                raise
            self._progress.say(f"  warning: no native modules, plain Python serves: {error}")
            return
        from deploy.checkout.native_jobs import compile_all  # noqa: PLC0415 -- where it is due

        self._progress.begin(NATIVE)
        failed, compiled, all_of_them = compile_all(
            plan.facts, self._children, str(python),
            lambda text: self._progress.update(NATIVE, text),
        )  # fmt: skip
        if not failed:  # else the next set-up tries again: a header may have been missing
            tree_products.note_product(plan.facts, "native", plan.products["native"])
        kept = all_of_them - compiled - len(failed)
        about = f"{compiled} compiled" + (f", {kept} as they were kept" if kept else "")
        self._progress.end(NATIVE, about)
        for name, why in failed.items():
            self._progress.say(f"  warning: {name} is not compiled, plain Python serves: {why}")

    def _make_products(self, tools: Future[str | Path], packages: Future[None]) -> None:
        plan = self._plan
        due = plan.due & {"messages", "pages", "bytecode"}
        if not due:
            return
        self._progress.begin(PRODUCTS)
        if "bytecode" in due:
            tree_products.make_own_bytecode(self._children, plan.facts.executable)
            tree_products.note_product(plan.facts, "bytecode", plan.products["bytecode"])
        if "messages" in due:
            tree_products.make_messages(self._children, tools.result())
            tree_products.note_product(plan.facts, "messages", plan.products["messages"])
        if "pages" in due:
            packages.result()
            tree_products.make_pages(self._children, plan.final / "bin" / "python")
            tree_products.note_product(plan.facts, "pages", plan.products["pages"])
        self._progress.end(PRODUCTS, "made")


def add_project(folder: Path, final: Path, project: Project) -> None:
    """Put the checkout itself into an environment: its path, its command, its metadata.

    Args:
        folder: the environment, as it is named now.
        final: the name that it will have.
        project: what the checkout asks for.
    """
    from deploy.checkout.environment_folder import head, replace_file  # noqa: PLC0415

    (site,) = (folder / "lib").glob("python3.*/site-packages")
    place = final / site.relative_to(folder)
    # A relative path is read alike in every encoding, and the checkout may be moved.
    inside = final.is_relative_to(ROOT)
    path = os.path.relpath(ROOT, place) if inside else str(ROOT)
    replace_file(site / "filterd.pth", os.fsencode(path) + b"\n")
    script = head(os.fsencode(final / "bin" / "python")) + _SCRIPT
    replace_file(folder / "bin" / "filterd", script, 0o755)
    about = site / f"filterd-{project.version}.dist-info"
    about.mkdir(exist_ok=True)
    needs = "".join(f"Requires-Dist: {one}\n" for one in project.run)
    metadata = f"Metadata-Version: 2.1\nName: filterd\nVersion: {project.version}\n{needs}"
    texts = {
        "METADATA": metadata,
        "INSTALLER": "make\n",
        "entry_points.txt": "[console_scripts]\nfilterd = filterd.cli.entry:main\n",
    }
    names = ["filterd.pth", *(f"{about.name}/{name}" for name in (*texts, "RECORD"))]
    for name, text in {**texts, "RECORD": "".join(f"{one},,\n" for one in names)}.items():
        replace_file(about / name, text.encode())


def _is_fresh(path: Path) -> bool:
    """Return whether a file is of this environment alone."""
    return path.stat().st_nlink == 1


def _count_of_lock() -> int:
    """Return how many packages the lock of releases names."""
    text = (ROOT / "deploy" / "package" / "requirements.txt").read_text(encoding="utf-8")
    return len(re.findall(r"(?m)^[\w.-]+==", text))


def _is_terminal() -> bool:
    return sys.stdout.isatty() and os.environ.get("TERM", "dumb") != "dumb"
