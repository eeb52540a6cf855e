# SPDX-License-Identifier: Apache-2.0
"""Name what a package is built for: a release of Debian and an architecture."""

from __future__ import annotations

import platform
from dataclasses import dataclass
from itertools import product

from deploy.package.steps import BuildError

PYTHONS = {"bookworm": ("12", "3.11"), "trixie": ("13", "3.13")}
"""The releases of Debian that are built for: number, and version of Python."""
MACHINES = {"amd64": "x86_64", "arm64": "aarch64"}


@dataclass(frozen=True, slots=True, order=True)
class Target:
    """A system that a package is built for.

    Attributes:
        suite: the code name of the release; empty for a derivative of Debian, whose own
            Python is taken from this machine.
        suffix: what ends the version of the package: ``deb13``.
        python: ``3.13``.
        architecture: ``amd64`` or ``arm64``.
    """

    suite: str
    suffix: str
    python: str
    architecture: str

    def __str__(self) -> str:
        return f"{self.suite or self.suffix}-{self.architecture}"

    @property
    def machine(self) -> str:
        """The architecture as the kernel and wheels name it."""
        return MACHINES[self.architecture]

    @property
    def triplet(self) -> str:
        """The architecture as compilers and Debian's folders name it."""
        return f"{self.machine}-linux-gnu"

    @property
    def tag(self) -> str:
        """The version of Python as wheels name it."""
        return f"cp{self.python.replace('.', '')}"

    @property
    def native(self) -> Target:
        """The same system on this machine's processor."""
        return Target(self.suite, self.suffix, self.python, own_architecture())


def own_architecture() -> str:
    """Return this machine's architecture.

    Raises:
        BuildError: filterd has no packages for it.
    """
    for architecture, machine in MACHINES.items():
        if platform.machine() == machine:
            return architecture
    raise BuildError(f"no package is built on {platform.machine()}: use amd64 or arm64")


ALL = tuple(
    Target(suite, f"deb{number}", python, architecture)
    for (suite, (number, python)), architecture in product(PYTHONS.items(), MACHINES)
)


def of_machine() -> Target:
    """Return the target that this machine is."""
    system = platform.freedesktop_os_release()
    suite, architecture = system.get("VERSION_CODENAME", ""), own_architecture()
    if system["ID"] in {"debian", "raspbian"} and suite in PYTHONS:
        number, python = PYTHONS[suite]
        return Target(suite, f"deb{number}", python, architecture)
    from deploy.package.steps import run  # noqa: PLC0415

    python = run(
        "/usr/bin/python3", "-c", "import sys; print('%d.%d' % sys.version_info[:2])"
    ).strip()
    return Target("", f"{system['ID']}{system.get('VERSION_ID', '')}", python, architecture)


def named(words: list[str]) -> list[Target]:
    """Return the targets of words: ``all``, ``trixie``, ``arm64``, ``bookworm-arm64``.

    Raises:
        BuildError: a word names none.
    """
    chosen: set[Target] = set()
    for word in words:
        fits = {one for one in ALL if word in {"all", one.suite, one.architecture, str(one)}}
        if not fits:
            raise BuildError(f"{word}: not a target; there are all, {', '.join(map(str, ALL))}")
        chosen |= fits
    return sorted(chosen) or [of_machine()]
