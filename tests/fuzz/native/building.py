# SPDX-License-Identifier: Apache-2.0
"""A copy of filterd, built with sanitizers in a folder of its own.

AddressSanitizer stops at the first octet that is read or written outside of an
allocation, UndefinedBehaviorSanitizer at arithmetic that C does not define. The modules of
the tree stay unchanged.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import sysconfig
import tomllib
from pathlib import Path
from typing import NamedTuple

ROOT = Path(__file__).resolve().parents[3]

SANITIZE = "-fsanitize=address,undefined,float-cast-overflow"
COMPILE = (
    SANITIZE,
    "-fno-omit-frame-pointer",
    # Unwritten memory holds a pattern, so that reading it changes an answer.
    "-ftrivial-auto-var-init=pattern",
    "-O1",
    "-g",
    "-w",
)

_BUILD = """
import json, sys
from setuptools import Extension, setup
from Cython.Build import cythonize
wanted, flags, link, root = json.load(sys.stdin)
extensions = [
    Extension(name, sources, extra_compile_args=flags, extra_link_args=link)
    for name, sources in wanted.items()
]
setup(
    name="sanitized",
    ext_modules=cythonize(extensions, quiet=True, force=True, include_path=[".", root]),
    script_args=["-q", "build_ext", "--force", "--inplace", "--parallel", "2"],
)
"""


class Replacement(NamedTuple):
    """A text that a source of filterd holds once, and what stands there instead."""

    path: str
    before: str
    after: str


def native_modules() -> dict[str, list[str]]:
    """Return the sources of every native module that is declared, by its name."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    return {one["name"]: one["sources"] for one in project["tool"]["setuptools"]["ext-modules"]}


def why_not() -> str:
    """Return why nothing can be built with sanitizers here; empty where it can."""
    compiler = _compiler()
    if shutil.which(compiler) is None:
        return f"there is no compiler {compiler}"
    absent = [name for name, path in _runtimes().items() if not path.is_absolute()]
    return f"{compiler} has no {' and no '.join(absent)}" if absent else ""


def build(target: Path) -> Path:
    """Build all native modules in a fresh folder; return it.

    Raises:
        subprocess.CalledProcessError: they cannot be built; see its ``stderr``.
    """
    shutil.rmtree(target, ignore_errors=True)
    made = shutil.ignore_patterns("*.so", "*.c", "__pycache__")
    shutil.copytree(ROOT / "filterd", target / "filterd", ignore=made)
    _compile(target, list(native_modules()))
    return target


def build_changed(built: Path, target: Path, module: str, change: Replacement) -> Path:
    """Build one module once more, from changed sources, in a copy of what was built; return that.

    Raises:
        ValueError: the text to replace is not there exactly once.
        subprocess.CalledProcessError: it cannot be built; see its ``stderr``.
    """
    shutil.copytree(built / "filterd", target / "filterd")
    path = target / change.path
    path.write_text(changed(path.read_text(encoding="utf-8"), change), encoding="utf-8")
    _compile(target, [module])
    return target


def _compile(target: Path, modules: list[str]) -> None:
    wanted = {name: native_modules()[name] for name in modules}
    compile_modules(target, wanted, COMPILE, (SANITIZE,))


def compile_modules(
    target: Path, wanted: dict[str, list[str]], flags: tuple[str, ...], link: tuple[str, ...] = ()
) -> None:
    """Compile modules in a folder, from sources named relatively to it.

    Declarations that are not in the folder are the tree's own.

    Raises:
        subprocess.CalledProcessError: they cannot be compiled; see its ``stderr``.
    """
    subprocess.run(
        [sys.executable, "-c", _BUILD],
        input=json.dumps([wanted, flags, link, str(ROOT)]),
        cwd=target,
        check=True,
        capture_output=True,
        text=True,
    )


def changed(source: str, change: Replacement) -> str:
    """Return a source with one text replaced.

    Raises:
        ValueError: it does not stand there exactly once.
    """
    if source.count(change.before) != 1:
        raise ValueError(f"{change.path} does not hold this once any more: {change.before}")
    return source.replace(change.before, change.after)


def python(*arguments: str) -> list[str]:
    """Return the command that runs Python without the folder it is started in."""
    return [sys.executable, "-P", "-X", "faulthandler", *arguments]


def environment(built: Path, **more: str) -> dict[str, str]:
    """Return the environment in which what was built runs, and its first fault ends it."""
    return {
        **os.environ,
        "LD_PRELOAD": " ".join(map(str, _runtimes().values())),
        "ASAN_OPTIONS": "detect_leaks=0:detect_stack_use_after_return=1:quarantine_size_mb=64"
        ":allocator_may_return_null=1:handle_segv=1",
        "UBSAN_OPTIONS": "halt_on_error=1:print_stacktrace=1",
        "PYTHONMALLOC": "malloc",  # or objects would lie together in arenas that Python owns
        "PYTHONDONTWRITEBYTECODE": "1",
        "PYTHONPATH": os.pathsep.join((str(built), str(ROOT))),
        "FILTERD_REQUIRE_NATIVE": "1",
        **more,
    }


def _compiler() -> str:
    return os.environ.get("CC") or str(sysconfig.get_config_var("CC") or "cc").split()[0]


def _runtimes() -> dict[str, Path]:
    """Return where the sanitizers' libraries are; a name without a folder where there is none."""
    return {
        name: Path(
            subprocess.run(
                [_compiler(), f"-print-file-name={name}"],
                check=True,
                capture_output=True,
                text=True,
            ).stdout.strip()
        )
        for name in ("libasan.so", "libubsan.so")
    }
