# SPDX-License-Identifier: Apache-2.0
"""Build packages: ``python -m deploy.package deb|release|lock [TARGET ...]``."""

from __future__ import annotations

import argparse
import hashlib
import os
import shutil
import sys
import tempfile
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from deploy.package import wheels
from deploy.package.apt_repository import apt_repository
from deploy.package.bill_of_materials import bill_of_materials
from deploy.package.debian_package import debian_package
from deploy.package.steps import ROOT, BuildError
from deploy.package.target import named
from filterd.version import __version__

if TYPE_CHECKING:
    from collections.abc import Iterator

    from deploy.package.target import Target


def main(words: list[str] | None = None) -> int:
    """Run the task of a command line; return 1 after an error, which is printed in one sentence."""
    parser = argparse.ArgumentParser(prog="python -m deploy.package", description=__doc__)
    parser.add_argument("task", choices=["deb", "release", "lock"])
    parser.add_argument("targets", nargs="*", help="all, trixie, arm64, bookworm-arm64, ...")
    parser.add_argument("--out", type=Path, default=ROOT / "dist")
    parser.add_argument("--fast", action="store_true", help="compress less, for tests")
    parser.add_argument("--key", default="", help="the OpenPGP key that signs the apt repository")
    chosen = parser.parse_args(words)
    out = chosen.out.absolute()
    try:
        if chosen.task == "lock":
            wheels.lock()
        elif chosen.task == "deb":
            for target in named(chosen.targets):
                print(debian_package(target, out, fast=chosen.fast))
        else:
            with _replaced(out) as fresh:
                _release(named(chosen.targets or ["all"]), fresh, chosen.key, fast=chosen.fast)
            print(f"{out}: filterd {__version__}")
            if not chosen.key:
                print("apt: not signed; RELEASE_KEY=KEY signs, else clients say [trusted=yes]")
    except BuildError as error:
        print(f"deploy.package: {error}", file=sys.stderr)
        return 1
    except OSError as error:
        place = error.filename or chosen.out
        print(f"deploy.package: {place}: {error.strerror or error}", file=sys.stderr)
        return 1
    return 0


def _release(targets: list[Target], folder: Path, key: str, *, fast: bool) -> None:
    """Write packages, wheels, source, bill of materials, digests and an apt repository."""
    packages = [debian_package(target, folder, fast=fast) for target in targets]
    for target in targets:
        shutil.copy2(wheels.own(target), folder)
    wheels.sdist(folder)
    bill = folder / f"filterd-{__version__}.cdx.json"
    bill.write_text(bill_of_materials(targets), encoding="utf-8")
    files = [path for path in sorted(folder.iterdir()) if path.is_file()]
    digests = (f"{hashlib.sha256(path.read_bytes()).hexdigest()}  {path.name}\n" for path in files)
    (folder / "SHA256SUMS").write_text("".join(digests), encoding="utf-8")
    apt_repository(folder / "apt", packages, key)


@contextmanager
def _replaced(folder: Path) -> Iterator[Path]:
    """Yield a new folder that takes the place of another once it is complete."""
    folder.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=folder.parent, prefix=f".{folder.name}.") as part:
        fresh = Path(part) / "new"
        fresh.mkdir(mode=0o755)
        yield fresh
        os.sync()  # what is renamed is on the disk
        if folder.exists():
            folder.rename(Path(part) / "old")
        fresh.rename(folder)


if __name__ == "__main__":
    sys.exit(main())
