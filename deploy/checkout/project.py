# SPDX-License-Identifier: Apache-2.0
"""What the checkout asks for: its version, its packages by layer, their pins."""

from __future__ import annotations

import re
import tomllib
from dataclasses import dataclass

from deploy.checkout.facts import ROOT
from deploy.checkout.set_up_record import digest


@dataclass(frozen=True)
class Project:
    """What ``pyproject.toml`` and ``constraints.txt`` ask for."""

    version: str
    build: tuple[str, ...]
    run: tuple[str, ...]
    test: tuple[str, ...]
    pinned: str

    @property
    def packages(self) -> str:
        """The digest of the layer run."""
        return digest(["run", self.version, self.pinned, *self.run])


def read_project() -> Project:
    """Read what the checkout asks for."""
    settings = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    version = (ROOT / "filterd" / "version.py").read_text(encoding="utf-8")
    found = re.search(r'__version__ = "(.+)"', version)
    assert found
    return Project(
        found[1],
        tuple(settings["build-system"]["requires"]),
        tuple(settings["project"]["dependencies"]),
        tuple(settings["project"]["optional-dependencies"]["dev"]),
        (ROOT / "constraints.txt").read_text(encoding="utf-8"),
    )


def count_of_lock() -> int:
    """Return how many packages the lock of releases names."""
    text = (ROOT / "deploy" / "package" / "requirements.txt").read_text(encoding="utf-8")
    return len(re.findall(r"(?m)^[\w.-]+==", text))
