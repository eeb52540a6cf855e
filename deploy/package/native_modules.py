# SPDX-License-Identifier: Apache-2.0
"""Compile the extensions of filterd for a target, by a cross compiler where it is another machine.

``deploy.checkout.native_code`` does it, for a checkout too; here is what a target adds: its
headers, its system root, its compiler.
"""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

from deploy.checkout.native_code import Toolchain, compile_module, native_modules
from deploy.package import target_python
from deploy.package.steps import CACHE, ROOT, run
from deploy.package.target import own_architecture

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from deploy.package.target import Target


def compiled(target: Target) -> dict[str, Path]:
    """Return the extensions, compiled: paths inside the package ``filterd`` and the files.

    Raises:
        BuildError: a compiler is missing or refused.
    """
    base = target_python.root(target)
    headers = (f"--sysroot={base}", f"-I{base}/usr/include/python{target.python}")
    tools = Toolchain((sys.executable,), (compiler(target),), headers, _run)
    extension = f".cpython-{target.tag[2:]}-{target.triplet}.so"
    variant = f"{target.python}-{target.architecture}"
    return {
        one.built(extension): compile_module(ROOT, CACHE / "native", one, variant, tools)
        for one in native_modules(ROOT)
    }


def _run(words: Sequence[str | Path], folder: Path) -> None:
    run(*words, folder=folder)


def compiler(target: Target, tool: str = "gcc") -> str:
    """Return the compiler for a target, or another tool of its kind."""
    return tool if target.architecture == own_architecture() else f"{target.triplet}-{tool}"
