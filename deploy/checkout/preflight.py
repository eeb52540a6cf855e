# SPDX-License-Identifier: Apache-2.0
"""The preflight of a set-up: what the machine lacks for what is due, said before it begins."""

from __future__ import annotations

import os
import re
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

from deploy.checkout.facts import ROOT

if TYPE_CHECKING:
    from collections.abc import Callable

    from deploy.checkout.children import Children
    from deploy.checkout.facts import Facts
    from deploy.checkout.set_up_plan import Plan

_LEAST_FREE_MB = {"run": 300, "test": 1_200}
_TAGS = re.compile(r"-cp(3)(\d+)-(?!abi3)\w+-(?!any)([\w.]+)\.whl$")


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


def unreachable_index(plan: Plan) -> list[str]:
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
