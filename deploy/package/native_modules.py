# SPDX-License-Identifier: Apache-2.0
"""Compile the extensions of filterd for a target, by a cross compiler where it is another machine.

The C of an extension is the same for all targets; what is compiled is kept by the digest of
its sources, which is its build ID too (``filterd.native``).
"""

from __future__ import annotations

import sys
import tomllib
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from deploy.package import target_python
from deploy.package.steps import CACHE, ROOT, digest, made, run
from deploy.package.target import own_architecture
from filterd.native import digest_of

if TYPE_CHECKING:
    from deploy.package.target import Target

_HARDENED = (
    "-fPIC", "-fwrapv", "-fstack-protector-strong", "-D_FORTIFY_SOURCE=2", "-DNDEBUG",
    "-shared", "-Wl,-z,relro,-z,now", "-Wl,--strip-all",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class _Extension:
    name: str
    source: Path
    arguments: tuple[str, ...]


def compiled(target: Target) -> dict[str, Path]:
    """Return the extensions, compiled: paths inside the package ``filterd`` and the files.

    Raises:
        BuildError: a compiler is missing or refused.
    """
    return {
        f"{one.name.replace('.', '/')}.cpython-{target.tag[2:]}-{target.triplet}.so": _compile(
            one, target
        )
        for one in _extensions()
    }


def _extensions() -> list[_Extension]:
    settings = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    return [
        _Extension(one["name"], ROOT / one["sources"][0], tuple(one.get("extra-compile-args", ())))
        for one in settings["tool"]["setuptools"]["ext-modules"]
    ]


def _compile(extension: _Extension, target: Target) -> Path:
    sources = digest_of(extension.source).hex()
    kept = CACHE / "native" / f"{extension.name}-{sources[:16]}-{digest(Path(__file__))}"
    base = target_python.root(target)
    with made(kept / f"{target.python}-{target.architecture}.so") as library:
        if library:
            run(
                compiler(target), *extension.arguments, *_HARDENED,
                f"-Wl,--build-id=0x{sources}", f"-ffile-prefix-map={kept}=.",
                f"--sysroot={base}", f"-I{base}/usr/include/python{target.python}",
                _translated(extension, kept), "-o", library,
            )  # fmt: skip
    return kept / f"{target.python}-{target.architecture}.so"


def _translated(extension: _Extension, kept: Path) -> Path:
    """Return the C of an extension."""
    with made(kept / "module.c") as source:
        if source:
            # From inside the package: the C names files beneath the folder in which Cython runs,
            # and the environment of the build must not be there.
            inside = ROOT / "filterd"
            run(
                sys.executable, "-P", "-m", "cython", "--module-name", extension.name, "-I", ROOT,
                extension.source.relative_to(inside), "--output-file", source, folder=inside,
            )  # fmt: skip
    return kept / "module.c"


def compiler(target: Target, tool: str = "gcc") -> str:
    """Return the compiler for a target, or another tool of its kind."""
    return tool if target.architecture == own_architecture() else f"{target.triplet}-{tool}"
