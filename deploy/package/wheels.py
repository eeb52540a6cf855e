# SPDX-License-Identifier: Apache-2.0
"""Fetch the wheels that filterd needs, and make those of filterd itself.

``requirements.txt`` beside this module names each needed distribution with its version and the
digests of its wheels for all targets; pip takes nothing else. ``python -m deploy.package lock``
writes it anew after a change of ``constraints.txt``.
"""

from __future__ import annotations

import json
import re
import shutil
import sys
import tempfile
import tomllib
from pathlib import Path
from typing import TYPE_CHECKING

from deploy.package import native_modules
from deploy.package.steps import CACHE, ROOT, BuildError, digest, made, run
from deploy.package.target import ALL

if TYPE_CHECKING:
    from deploy.package.target import Target

LOCK = Path(__file__).with_name("requirements.txt")
_HEAD = "# Made by: python -m deploy.package lock\n"
_GLIBC = (17, 28)
"""The second numbers of the oldest and newest glibc (2.x) that wheels may ask for."""
_EXTENSION_TABLES = re.compile(r"^\[\[tool\.setuptools\.ext-modules\]\]\n(?:.+\n)*", re.MULTILINE)


def dependencies(target: Target) -> list[Path]:
    """Return the wheels of all that filterd needs on a target, each with a digest of the lock.

    Raises:
        BuildError: pip could not fetch one, or it is another file than the lock names.
    """
    folder = CACHE / "wheels" / f"{digest(LOCK)}-{target.tag}-{target.architecture}"
    with made(folder) as fresh:
        if fresh:
            run(
                *pip("download", target), "--no-deps", "--require-hashes",
                "--requirement", LOCK, "--dest", fresh,
            )  # fmt: skip
    return sorted(folder.glob("*.whl"))


def lock() -> None:
    """Write the lock: what pip resolves from ``pyproject.toml`` and ``constraints.txt``."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    locked: dict[str, set[str]] = {}
    for target in ALL:
        report = run(
            *pip("install", target), "--dry-run", "--ignore-installed", "--target", CACHE / "none",
            "--constraint", ROOT / "constraints.txt", "--report", "-", *project["dependencies"],
        )  # fmt: skip
        for one in json.loads(report)["install"]:
            about = one["metadata"]
            digest = one["download_info"]["archive_info"]["hashes"]["sha256"]
            locked.setdefault(f"{about['name']}=={about['version']}", set()).add(digest)
    lines = (
        " \\\n    ".join([name, *(f"--hash=sha256:{digest}" for digest in sorted(locked[name]))])
        for name in sorted(locked, key=str.lower)
    )
    LOCK.write_text(_HEAD + "\n".join(lines) + "\n", encoding="utf-8")


def pip(command: str, target: Target) -> list[str]:
    """Return the words of a command of pip for another system than this."""
    platforms = [f"manylinux_2_{minor}" for minor in range(_GLIBC[1], _GLIBC[0] - 1, -1)]
    return [
        sys.executable, "-m", "pip", command, "--quiet", "--disable-pip-version-check",
        "--only-binary=:all:", "--implementation=cp", f"--python-version={target.python}",
        *(f"--abi={abi}" for abi in (target.tag, "abi3", "none")),
        *(f"--platform={one}_{target.machine}" for one in (*platforms, "manylinux2014")),
    ]  # fmt: skip


def own(target: Target) -> Path:
    """Return the wheel of filterd for a target, with its extensions.

    Raises:
        BuildError: an extension asks for a newer glibc than wheels may.
    """
    extensions = native_modules.compiled(target)
    pure = _own_without_extensions()
    folder = CACHE / "own" / f"{digest(Path(__file__), pure, *extensions.values())}-{target}"
    with made(folder) as fresh:
        if fresh:
            run(sys.executable, "-m", "wheel", "unpack", "--dest", fresh, pure)
            (tree,) = fresh.iterdir()
            for name, library in extensions.items():
                shutil.copyfile(library, tree / name)
                (tree / name).chmod(0o755)
            about = next(tree.glob("*.dist-info/WHEEL"))
            tag = f"{target.tag}-{target.tag}-manylinux_2_{glibc(target, *extensions.values())}"
            text = about.read_text(encoding="utf-8").replace("Purelib: true", "Purelib: false")
            text = re.sub(r"^Tag: .*", f"Tag: {tag}_{target.machine}", text, flags=re.MULTILINE)
            about.write_text(text, encoding="utf-8")
            run(sys.executable, "-m", "wheel", "pack", "--dest-dir", fresh, tree)
            shutil.rmtree(tree)
    return next(folder.glob("*.whl"))


def glibc(target: Target, *libraries: Path) -> int:
    """Return the newest glibc, 2.x, that libraries ask for, and 17 at least.

    Raises:
        BuildError: it is newer than wheels may ask for.
    """
    output = run(native_modules.compiler(target, "readelf"), "--version-info", "--wide", *libraries)
    newest = max((int(minor) for minor in re.findall(r"\bGLIBC_2\.(\d+)", output)), default=0)
    if newest > _GLIBC[1]:
        raise BuildError(
            f"{target}: a native module asks for glibc 2.{newest}; build on an older system"
        )
    return max(newest, _GLIBC[0])


def _own_without_extensions() -> Path:
    """Return the wheel of filterd as setuptools makes it, without its extensions."""
    sources = [path for path in source_files() if path.suffix not in {".pyx", ".c", ".so"}]
    folder = CACHE / "own" / f"{digest(Path(__file__), *sources)}-pure"
    with made(folder) as fresh:
        if fresh:
            tree = copy_source(fresh.with_name("source"), sources)
            settings = tree / "pyproject.toml"
            text = _EXTENSION_TABLES.sub("", settings.read_text(encoding="utf-8"))
            settings.write_text(text, encoding="utf-8")
            _setuptools("build_wheel", tree, fresh)
    return next(folder.glob("*.whl"))


def sdist(folder: Path) -> None:
    """Write the archive of the source."""
    with tempfile.TemporaryDirectory() as part:
        _setuptools("build_sdist", copy_source(Path(part), source_files()), folder)


def _setuptools(step: str, tree: Path, folder: Path) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    words = f"from setuptools import build_meta; build_meta.{step}({str(folder)!r})"
    run(sys.executable, "-c", words, folder=tree)


def source_files() -> list[Path]:
    """Return the files that a wheel or the archive of the source is made of."""
    plain = (ROOT / name for name in ("pyproject.toml", "README.md", "LICENSE"))
    trees = (
        path for name in ("filterd", "blocklists", "policies") for path in (ROOT / name).rglob("*")
    )
    built = {".so", ".c", ".mo", ".pyc"}
    return [
        *plain,
        *sorted(
            path
            for path in trees
            if path.is_file() and path.suffix not in built and "__pycache__" not in path.parts
        ),
    ]


def copy_source(tree: Path, files: list[Path]) -> Path:
    """Copy files of the checkout into a folder, and return it."""
    for path in files:
        copy = tree / path.relative_to(ROOT)
        copy.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(path, copy)
    return tree
