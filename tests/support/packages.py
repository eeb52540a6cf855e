# SPDX-License-Identifier: Apache-2.0
"""Debian packages of this checkout, and of changed copies of it, each built once.

Steps that are finished are shared with ``make deb``: another version takes some seconds.
"""

from __future__ import annotations

import fcntl
import os
import re
import shutil
import subprocess
import sys
import tempfile
from hashlib import sha256
from pathlib import Path
from typing import TYPE_CHECKING

from tests.support.commands import ROOT
from tests.support.needs import commands

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

NEXT = "9.1.0"
"""The version of the release after that of the checkout; one for all tests: it is built once."""
BUILT = ROOT / "build" / "test_packages"
_SOURCES = ("filterd", "blocklists", "policies", "deploy", "pyproject.toml", "README.md")
_TEXTS = ("LICENSE", "CHANGELOG.md", "constraints.txt")
_LEFT_OUT = shutil.ignore_patterns("*.so", "*.c", "*.mo", "__pycache__")


def package(
    suite: str = "trixie",
    architecture: str = "amd64",
    version: str | None = None,
    changed: Mapping[str, str] | None = None,
) -> Path:
    """Return a package of this checkout.

    Args:
        suite: ``trixie`` or ``bookworm``.
        architecture: ``amd64`` or ``arm64``.
        version: another version than that of the checkout.
        changed: other texts of files, by their paths in the checkout.
    """
    commands("apt-get", "dpkg-deb", "gcc")
    with tempfile.TemporaryDirectory(prefix="filterd-source-") as made:
        tree = changed_source(Path(made) / "source", version, changed or {})
        kept = BUILT / f"{suite}-{architecture}-{_digest(tree)}"
        BUILT.mkdir(parents=True, exist_ok=True)
        with (BUILT / "lock").open("w") as lock:  # test files run side by side
            fcntl.flock(lock, fcntl.LOCK_EX)
            if not kept.exists():
                build(tree, [f"{suite}-{architecture}"], kept)
    return next(kept.glob("*.deb"))


def changed_source(tree: Path, version: str | None, changed: Mapping[str, str]) -> Path:
    """Copy what a package is built from into a folder, and change it there."""
    tree.mkdir(parents=True)
    for name in _SOURCES + _TEXTS:
        if (ROOT / name).is_dir():
            shutil.copytree(ROOT / name, tree / name, ignore=_LEFT_OUT)
        else:
            shutil.copy(ROOT / name, tree / name)
    for name, text in changed.items():
        (tree / name).write_text(text, encoding="utf-8")
    if version:
        path = tree / "filterd" / "version.py"
        text = path.read_text(encoding="utf-8")
        text = re.sub(r'__version__ = ".*"', f'__version__ = "{version}"', text)
        path.write_text(text, encoding="utf-8")
    return tree


def build(
    tree: Path,
    words: Iterable[str],
    out: Path,
    *,
    task: str = "deb",
    cache: Path | None = None,
    **changes: str,
) -> subprocess.CompletedProcess[str]:
    """Run a task of the builder in a copy of the source; fail the test if it fails."""
    cache = cache or ROOT / "build" / "package"
    done = subprocess.run(
        [sys.executable, "-m", "deploy.package", task, *words, "--fast", "--out", out],
        cwd=tree,
        env={**os.environ, "FILTERD_BUILD_CACHE": str(cache), **changes},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return done


def _digest(tree: Path) -> str:
    whole = sha256()
    for path in sorted(path for path in tree.rglob("*") if path.is_file()):
        whole.update(f"{path.relative_to(tree)} {path.stat().st_mode & 0o100}".encode())
        whole.update(path.read_bytes())
    return whole.hexdigest()[:16]
