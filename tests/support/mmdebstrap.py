# SPDX-License-Identifier: Apache-2.0
"""Make a root of Debian from the sources of this machine's own apt.

It imports nothing beside the standard library: ``.ci/newcomer.py`` calls it before anything is
installed.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
from pathlib import Path

SUITES = {"bookworm": 12, "trixie": 13}
"""The releases of Debian that filterd is made for, with their numbers."""

PATH = f"{os.environ.get('PATH', '')}:/usr/sbin:/sbin"

_SOURCES = Path("/etc/apt/sources.list.d/debian.sources")


class NoRootError(Exception):
    """There is no root to be had on this machine; one sentence says why."""


def make_root(place: Path, suite: str, packages: tuple[str, ...]) -> None:
    """Make a minimal root with some packages; it gets its name when it is whole.

    Raises:
        NoRootError: no sources, no mmdebstrap, no network.
    """
    unfinished = place.with_name(f"{place.name}.part")
    shutil.rmtree(unfinished, ignore_errors=True)
    words = [
        *("mmdebstrap", "--quiet", "--variant=minbase", "--mode=root"),
        *("--aptopt=APT::Install-Recommends false", f"--include={','.join(packages)}"),
        *(suite, str(unfinished), "-"),
    ]
    try:
        done = subprocess.run(
            words,
            input=_sources(suite),
            capture_output=True,
            text=True,
            env={**os.environ, "PATH": PATH, "TMPDIR": str(place.parent)},
            check=False,
        )
    except FileNotFoundError as error:
        raise NoRootError("mmdebstrap is not installed") from error
    if done.returncode != 0:
        shutil.rmtree(unfinished, ignore_errors=True)
        raise NoRootError(done.stderr.strip()[-300:])
    (unfinished / "etc" / "machine-id").write_text("", encoding="ascii")  # each boot has its own
    unfinished.rename(place)


def _sources(suite: str) -> str:
    """Return the sources of this machine's apt with the suite replaced."""
    if not _SOURCES.exists():
        raise NoRootError(f"there is no {_SOURCES}")
    here = re.search(
        r"^VERSION_CODENAME=(\w+)", Path("/etc/os-release").read_text("utf-8"), re.MULTILINE
    )
    assert here is not None
    return re.sub(rf"\b{here[1]}\b", suite, _SOURCES.read_text("utf-8"))
