# SPDX-License-Identifier: Apache-2.0
"""Compile the extensions of filterd: Cython, then the C compiler, each once for its sources.

The C of an extension is the same for all targets. What is compiled is kept by the digest of its
sources, which is its build ID too (``filterd.base.native``); by the recipe, which is this file and
the version of Cython; and by the compiler and the Python that it is for.
"""

from __future__ import annotations

import re
import shutil
import tempfile
import tomllib
from contextlib import suppress
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from typing import TYPE_CHECKING

from filterd.base.native import digest_of

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

_HARDENED = (
    "-fPIC", "-fwrapv", "-fstack-protector-strong", "-D_FORTIFY_SOURCE=2", "-DNDEBUG",
    "-shared", "-Wl,-z,relro,-z,now", "-Wl,--strip-all",
)  # fmt: skip
_CYTHON = re.compile(r"(?im)^cython==(\S+)")


@dataclass(frozen=True, slots=True)
class NativeModule:
    """An extension as ``pyproject.toml`` declares it.

    Attributes:
        name: ``filterd.wire._codec``.
        source: the file that Cython reads.
        arguments: of the compiler.
    """

    name: str
    source: Path
    arguments: tuple[str, ...]

    def built(self, extension: str) -> str:
        """Return the path of what is compiled, in the tree.

        Args:
            extension: what ends its name for one Python: ``.cpython-313-x86_64-linux-gnu.so``.
        """
        return f"{self.name.replace('.', '/')}{extension}"


def native_modules(root: Path) -> list[NativeModule]:
    """Return the extensions that a checkout declares."""
    settings = tomllib.loads((root / "pyproject.toml").read_text(encoding="utf-8"))
    return [
        NativeModule(
            one["name"], root / one["sources"][0], tuple(one.get("extra-compile-args", ()))
        )
        for one in settings["tool"]["setuptools"]["ext-modules"]
    ]


def recipe(root: Path) -> str:
    """Return the digest of how extensions are compiled."""
    cython = _CYTHON.search((root / "constraints.txt").read_text(encoding="utf-8"))
    parts = sha256(Path(__file__).read_bytes() + (cython[1] if cython else "").encode())
    return parts.hexdigest()[:16]


def sources_digest(module: NativeModule) -> str:
    """Return the digest of all sources of an extension: its build ID."""
    return digest_of(module.source).hex()


@dataclass(frozen=True, slots=True)
class Toolchain:
    """What an extension is compiled with.

    Attributes:
        python: the words that run a Python which has Cython.
        compiler: the words that run the C compiler.
        arguments: more for it: headers, system root.
        run: runs a command in a folder; raises where it fails.
    """

    python: tuple[str | Path, ...]
    compiler: tuple[str, ...]
    arguments: tuple[str, ...]
    run: Callable[[Sequence[str | Path], Path], object]


def kept_library(root: Path, cache: Path, module: NativeModule, variant: str) -> Path:
    """Return where an extension is kept, compiled.

    Args:
        root: the checkout.
        cache: the folder of what is kept.
        module: the extension.
        variant: a word for the Python and the compiler.
    """
    return cache / f"{module.name}-{sources_digest(module)[:16]}-{recipe(root)}" / f"{variant}.so"


def compile_module(
    root: Path, cache: Path, module: NativeModule, variant: str, tools: Toolchain
) -> Path:
    """Translate and compile an extension, unless it is kept; return the library."""
    library = kept_library(root, cache, module, variant)
    if not library.exists():
        kept = library.parent
        source = _translated(root, module, kept, tools)
        with _Fresh(library) as fresh:
            tools.run(
                [
                    *tools.compiler, *module.arguments, *_HARDENED,
                    f"-Wl,--build-id=0x{sources_digest(module)}",
                    f"-ffile-prefix-map={kept}=.", *tools.arguments, source, "-o", fresh,
                ],
                root,
            )  # fmt: skip
    return library


def _translated(root: Path, module: NativeModule, kept: Path, tools: Toolchain) -> Path:
    """Return the C of an extension."""
    code = kept / "module.c"
    if not code.exists():
        with _Fresh(code) as fresh:
            # From inside the package: the C names files beneath the folder in which Cython runs,
            # and the environment of the build must not be there.
            inside = root / "filterd"
            tools.run(
                [
                    *tools.python, "-P", "-m", "cython", "--module-name", module.name, "-I", root,
                    module.source.relative_to(inside), "--output-file", fresh,
                ],
                inside,
            )  # fmt: skip
    return code


class _Fresh:
    """Where to write a file that gets its name when it is complete."""

    def __init__(self, path: Path) -> None:
        self._path = path

    def __enter__(self) -> Path:
        self._path.parent.mkdir(parents=True, exist_ok=True)
        self._folder = Path(tempfile.mkdtemp(dir=self._path.parent, prefix=f".{self._path.name}."))
        return self._folder / self._path.name

    def __exit__(self, failed: object, *_: object) -> None:
        if failed is None:
            with suppress(OSError):  # another build was first: the same content
                (self._folder / self._path.name).rename(self._path)
        shutil.rmtree(self._folder, ignore_errors=True)
