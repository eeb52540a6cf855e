# SPDX-License-Identifier: Apache-2.0
"""Unpack the Python of a target, with headers and libraries, from Debian's packages.

apt fetches them by the sources of this machine, with the name of the release replaced, and
verifies them by Debian's signatures. Nothing is installed here.
"""

from __future__ import annotations

import os
import re
from pathlib import Path
from typing import TYPE_CHECKING

from deploy.package.steps import CACHE, BuildError, digest, made, run

if TYPE_CHECKING:
    from deploy.package.target import Target

_SUITES = re.compile(r"\b(?:bookworm|trixie)\b")


def root(target: Target) -> Path:
    """Return the folder beneath which the Python of a target is unpacked; ``/`` is this machine.

    Raises:
        BuildError: apt could not fetch it.
    """
    if not target.suite:
        if not Path(f"/usr/include/python{target.python}/Python.h").exists():
            raise BuildError("the headers of Python are missing: sudo apt install python3-dev")
        return Path("/")
    kept = CACHE / "python" / f"{target}-{digest(Path(__file__))}"
    with made(kept) as fresh:
        if fresh:
            for package in _fetch(target, fresh.with_name("apt")):
                run("dpkg-deb", "--extract", package, fresh)
            for name in ("lib", "lib64"):  # one folder since Debian 13, by a link of base-files
                if not (fresh / name).exists() and (fresh / "usr" / name).exists():
                    (fresh / name).symlink_to(f"usr/{name}")
    return kept


def _fetch(target: Target, folder: Path) -> list[Path]:
    """Return the packages of Python and of the libraries that wheels ask for.

    apt has a state of its own for them.
    """
    sources, archives = folder / "sources", folder / "cache" / "archives"
    for one in (sources, archives / "partial", folder / "state" / "lists" / "partial"):
        one.mkdir(parents=True)
    (folder / "state" / "status").touch()
    for name, text in apt_sources(target.suite).items():
        (sources / name).write_text(text, encoding="utf-8")
    settings = {
        "Dir::State": folder / "state",
        "Dir::State::status": folder / "state" / "status",
        "Dir::Cache": folder / "cache",
        "Dir::Etc::sourcelist": "/dev/null",
        "Dir::Etc::sourceparts": sources,
        "Dir::Etc::preferences": "/dev/null",
        "Dir::Etc::preferencesparts": "/dev/null",
        "APT::Architecture": target.architecture,
        "APT::Architectures::": target.architecture,
        "APT::Sandbox::User": "root" if os.geteuid() == 0 else "",
        "Acquire::IndexTargets::deb::DEP-11::DefaultEnabled": "false",
        "Acquire::Languages": "none",
    }
    options = [f"-o{name}={value}" for name, value in settings.items()]
    run("apt-get", *options, "--quiet=2", "--error-on=any", "update")
    python = f"python{target.python}"
    run(
        "apt-get", *options, "--quiet=2", "--yes", "--download-only", "--no-install-recommends",
        "install", python, f"lib{python}-dev", "libstdc++6",
    )  # fmt: skip
    return sorted(archives.glob("*.deb"))


def apt_sources(suite: str) -> dict[str, str]:
    """Return this machine's files of apt sources for another release of Debian, by name.

    ``APT_SOURCES`` names another file, in one of apt's two formats.

    Raises:
        BuildError: there is no source of Debian here.
    """
    chosen = os.environ.get("APT_SOURCES")
    etc = Path("/etc/apt")
    found = [Path(chosen)] if chosen else [
        etc / "sources.list",
        *sorted((etc / "sources.list.d").glob("*.list")),
        *sorted((etc / "sources.list.d").glob("*.sources")),
    ]  # fmt: skip
    texts = {path.name: path.read_text(encoding="utf-8") for path in found if path.exists()}
    texts = {name: _SUITES.sub(suite, text) for name, text in texts.items() if _SUITES.search(text)}
    if not texts:
        raise BuildError("no apt source of Debian is here; name a file of one by APT_SOURCES=...")
    return texts


def interpreter(target: Target) -> list[str | Path]:
    """Return the words that run the Python of a target here, with its own libraries.

    Only for a target of this machine's architecture.
    """
    base = root(target)
    program = base / "usr" / "bin" / f"python{target.python}"
    if not target.suite:
        return [program]
    folders = [base / folder / target.triplet for folder in ("lib", "usr/lib")]
    loader = next(path for folder in folders for path in folder.glob("ld-linux-*.so.*"))
    return [loader, "--library-path", ":".join(map(str, folders)), program]
