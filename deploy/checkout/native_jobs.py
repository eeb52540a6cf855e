# SPDX-License-Identifier: Apache-2.0
"""Compile the native modules of the checkout side by side, and put them beside their sources."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING

from deploy.checkout import tree_products
from deploy.checkout.children import StepError
from deploy.checkout.facts import ROOT
from deploy.checkout.native_code import Toolchain, compile_module, native_modules

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path

    from deploy.checkout.children import Children
    from deploy.checkout.facts import Facts
    from deploy.checkout.native_code import NativeModule


def compile_all(
    facts: Facts, children: Children, python: str, on_progress: Callable[[str], None]
) -> tuple[dict[str, str], int, int]:
    """Compile what is not kept, and put all modules beside their sources.

    Args:
        facts: of this machine.
        children: run the compilers.
        python: one that has Cython.
        on_progress: is called with how far it is.

    Returns:
        Why each failed that failed; how many were compiled; how many there are.
    """
    absent = tree_products.absent_libraries(facts)
    modules = native_modules(ROOT)
    modules.sort(key=lambda one: -one.source.stat().st_size)  # what lasts longest begins first
    done = list[str]()

    def run(words: Sequence[str | Path], folder: Path) -> None:
        code, lines = children.run(words, folder=folder)
        if code != 0:
            errors = [line for line in lines if "error" in line.lower()] or lines[-1:]
            raise StepError((errors or [f"exit code {code}"])[0].strip())

    tools = Toolchain((python,), facts.compiler, (f"-I{facts.include}",), run)

    def compile_one(module: NativeModule) -> str:
        try:
            library = compile_module(
                ROOT, tree_products.NATIVE_CACHE, module, tree_products.variant(facts), tools
            )
            tree_products.place_library(facts, module, library)
        except StepError as error:
            return str(error)
        done.append(module.name)
        on_progress(f"{len(done)} of {len(modules)}")
        return ""

    on_progress(f"0 of {len(modules)}")
    with ThreadPoolExecutor(tree_products.cores()) as pool:
        why = dict(zip((one.name for one in modules), pool.map(compile_one, modules), strict=True))
    tree_products.clear_native_cache(facts)
    failed = {name: reason for name, reason in why.items() if reason}
    compiled = sum(one.name not in failed for one in absent)
    return failed, compiled, len(modules)
