# SPDX-License-Identifier: Apache-2.0
"""Build packages: ``python -m deploy.package deb|release|lock [TARGET ...]``."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from deploy.package import wheels
from deploy.package.debian_package import debian_package
from deploy.package.steps import ROOT, BuildError
from deploy.package.target import named


def main() -> int:
    """Run one task; return 1 after an error, which is printed in one sentence."""
    parser = argparse.ArgumentParser(prog="python -m deploy.package", description=__doc__)
    parser.add_argument("task", choices=["deb", "lock"])
    parser.add_argument("targets", nargs="*", help="all, trixie, arm64, bookworm-arm64, ...")
    parser.add_argument("--out", type=Path, default=ROOT / "dist")
    parser.add_argument("--fast", action="store_true", help="compress less, for tests")
    chosen = parser.parse_args()
    try:
        if chosen.task == "lock":
            wheels.lock()
            return 0
        for target in named(chosen.targets):
            print(debian_package(target, chosen.out, fast=chosen.fast))
    except (BuildError, OSError) as error:
        print(f"deploy.package: {error}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
