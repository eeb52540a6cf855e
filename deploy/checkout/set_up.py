# SPDX-License-Identifier: Apache-2.0
"""Set up what a target of the Makefile needs: only what is missing or was made of other things.

A failure or Ctrl-C leaves the environment as it was.
"""

from __future__ import annotations

import argparse
import contextlib
import os
import shutil
import signal
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from deploy.checkout import tree_products
from deploy.checkout.environment_folder import EnvironmentFolder, locked
from deploy.checkout.facts import ROOT, gather_facts
from deploy.checkout.preflight import lacking, unreachable_index
from deploy.checkout.project import read_project
from deploy.checkout.set_up_plan import Plan
from deploy.checkout.target_needs import fetches, judge, this_machine
from filterd.base.clock import SystemClock

if TYPE_CHECKING:
    from collections.abc import Iterator


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
        lacks += unreachable_index(plan)
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


def _set_up(plan: Plan, target: str, fill: Path | None) -> int:
    """Do what is due, alone; return the exit code."""
    from deploy.checkout.children import Children, StepError  # noqa: PLC0415 -- where work is due
    from deploy.checkout.set_up_steps import SetUp  # noqa: PLC0415

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
