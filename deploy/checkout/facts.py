# SPDX-License-Identifier: Apache-2.0
"""The facts of a machine that a set-up depends on: Python, compiler, folders."""

from __future__ import annotations

import importlib.machinery
import os
import platform
import shlex
import shutil
import sys
import sysconfig
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
"""The checkout."""


@dataclass(frozen=True)
class Facts:
    """What this machine has.

    Attributes:
        python: the version, two numbers.
        executable: the Python behind all virtual environments.
        extension: what ends the name of a native module for it.
        compiler: the words that run the C compiler; none where there is none.
        compiled_by: its version and target.
        include: the folder of Python's headers; empty where they are missing.
        pip: the archive or folder of pip that this Python brings; empty where there is none.
        machine: the processor.
    """

    python: str
    executable: str
    extension: str
    compiler: tuple[str, ...]
    compiled_by: str
    include: str
    pip: str
    machine: str

    @property
    def compiles(self) -> bool:
        """Whether native modules can be compiled."""
        return bool(self.compiler and self.include)


def gather_facts() -> Facts:
    """Return the facts of this machine."""
    compiler, version = _compiler()
    include = sysconfig.get_path("include")
    return Facts(
        python="{}.{}".format(*sys.version_info),
        executable=base_executable(),
        extension=importlib.machinery.EXTENSION_SUFFIXES[0],
        compiler=compiler,
        compiled_by=version,
        include=include if Path(include, "Python.h").exists() else "",
        pip=_bundled_pip(),
        machine=platform.machine(),
    )


def base_executable() -> str:
    """Return the Python that this one is a virtual environment of, or itself."""
    base = getattr(sys, "_base_executable", None) or sys.executable
    return os.path.realpath(base)


def _compiler() -> tuple[tuple[str, ...], str]:
    words = tuple(shlex.split(os.environ.get("CC") or "gcc"))
    if not words or shutil.which(words[0]) is None:
        return (), ""
    from subprocess import DEVNULL, run  # noqa: PLC0415 -- only where there is a compiler

    versions = []
    for option in ("-dumpfullversion", "-dumpmachine"):
        done = run([*words, option], stdout=-1, stderr=DEVNULL, text=True, check=False)  # noqa: S603
        if done.returncode != 0:
            return (), ""
        versions.append(done.stdout.strip())
    return words, " ".join([*words, *versions])


def _bundled_pip() -> str:
    """Return where ensurepip has pip's wheel; Debian keeps it in a package of its own."""
    try:
        import ensurepip  # noqa: PLC0415 -- Debian's Python may be without it
    except ImportError:
        return ""
    own = Path(ensurepip.__file__).with_name("_bundled")
    folders = [own, Path(sysconfig.get_config_var("WHEEL_PKG_DIR") or own)]
    wheels = [wheel for folder in folders for wheel in sorted(folder.glob("pip-*.whl"))]
    return str(wheels[-1]) if wheels else ""
