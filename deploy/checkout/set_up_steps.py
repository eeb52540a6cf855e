# SPDX-License-Identifier: Apache-2.0
"""The steps of a set-up, side by side where they do not wait for each other.

Packages come beside the build tools; as soon as Cython is there, native modules are compiled, one
a core.
"""

from __future__ import annotations

import os
import sys
from concurrent.futures import FIRST_EXCEPTION, ThreadPoolExecutor, wait
from pathlib import Path
from typing import TYPE_CHECKING

from deploy.checkout import tree_products
from deploy.checkout.children import StepError
from deploy.checkout.editable_install import add_project
from deploy.checkout.environment_folder import replace_file, retarget
from deploy.checkout.native_jobs import compile_all
from deploy.checkout.pip_run import Pip, unpack_pip
from deploy.checkout.preflight import offline, without_compiler
from deploy.checkout.progress import Progress
from deploy.checkout.project import count_of_lock
from deploy.checkout.set_up_plan import NATIVE, PACKAGES, PRODUCTS, TESTS, TOOLS
from deploy.checkout.set_up_record import RECORD, record_text

if TYPE_CHECKING:
    from concurrent.futures import Future

    from deploy.checkout.children import Children
    from deploy.checkout.environment_folder import EnvironmentFolder
    from deploy.checkout.set_up_plan import Plan


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
        plan = self._plan
        cost = plan.cost_mb
        compiler = " ".join(plan.facts.compiled_by.split()[:2]) or "no compiler"
        what = f"Python {plan.facts.python}, {compiler}{f'; about {cost} MB to fetch' * bool(cost)}"
        self._progress = Progress(plan.steps, sys.stdout, terminal=_is_terminal())
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
        plan = self._plan
        script = unpack_pip(Path(plan.facts.pip), self._tools)
        self._script = script
        self._pip = Pip(self._children, script, plan.wheels, plan.facts.python, plan.facts.machine)

    def _check_network(self) -> None:
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
            count = self._install(PACKAGES, plan.project.run, count_of_lock())
            add_project(folder.new, plan.final, plan.project)
            tree_products.strip_libraries(self._children, folder.new)
            tree_products.make_bytecode(
                self._children, folder.python, folder.new.rglob("site-packages/**/*.py")
            )
            if not at_once:
                folder.install(self._record("python", "folder", "run"))
            self._progress.end(PACKAGES, f"{count} packages")
        elif "scripts" in plan.due:
            retarget(plan.final, plan.made["folder"], plan.final)
            add_project(plan.final, plan.final, plan.project)
            parts = [part for part in plan.made if part != "format"]
            replace_file(plan.final / RECORD, self._record(*parts).encode())
        if "test" in plan.due:
            self._progress.begin(TESTS)
            if not at_once:
                folder.begin_from_old()
            expected = plan.project.pinned.count("==") - count_of_lock()
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


def _is_fresh(path: Path) -> bool:
    """Return whether a file is of this environment alone."""
    return path.stat().st_nlink == 1


def _is_terminal() -> bool:
    return sys.stdout.isatty() and os.environ.get("TERM", "dumb") != "dumb"
