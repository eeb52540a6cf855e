# SPDX-License-Identifier: Apache-2.0
"""Make a static apt repository of packages: files that any web server or stick can hold."""

from __future__ import annotations

import gzip
from email.utils import formatdate
from typing import TYPE_CHECKING

from deploy.package.steps import run
from deploy.package.target import MACHINES, PYTHONS
from filterd.version import RELEASED_AT

if TYPE_CHECKING:
    from pathlib import Path


def apt_repository(folder: Path, packages: list[Path], key: str = "") -> None:
    """Write the folders ``pool`` and ``dists``.

    Args:
        folder: where to make them.
        packages: the packages, of all targets.
        key: the OpenPGP key that signs; without one, clients must be told to trust the folder.

    Raises:
        BuildError: apt-ftparchive or gpg is missing or failed.
    """
    for suite, (number, _) in PYTHONS.items():
        pool = folder / "pool" / suite
        pool.mkdir(parents=True)
        for package in packages:
            if f"+deb{number}_" in package.name:
                (pool / package.name).hardlink_to(package)
        for architecture in MACHINES:
            words = ["apt-ftparchive", "--arch", architecture, "packages", f"pool/{suite}"]
            index = folder / "dists" / suite / "main" / f"binary-{architecture}" / "Packages"
            index.parent.mkdir(parents=True)
            index.write_text(run(*words, folder=folder), encoding="utf-8")
            index.with_suffix(".gz").write_bytes(gzip.compress(index.read_bytes(), 9, mtime=0))
        _describe(folder / "dists" / suite, suite, key)


def _describe(folder: Path, suite: str, key: str) -> None:
    """Write ``Release`` with the digests of the indexes, and sign it."""
    fields = {
        "Origin": "filterd",
        "Label": "filterd",
        "Suite": suite,
        "Codename": suite,
        "Architectures": " ".join(MACHINES),
        "Components": "main",
        "Date": formatdate(RELEASED_AT, usegmt=True),
    }
    options = [f"-oAPT::FTPArchive::Release::{name}={value}" for name, value in fields.items()]
    text = run("apt-ftparchive", *options, "release", ".", folder=folder)
    (folder / "Release").write_text(text, encoding="utf-8")
    if key:
        gpg = ["gpg", "--batch", "--yes", "--local-user", key, "--output"]
        run(*gpg, "InRelease", "--clearsign", "Release", folder=folder)
        run(*gpg, "Release.gpg", "--armor", "--detach-sign", "Release", folder=folder)
