# SPDX-License-Identifier: Apache-2.0
"""Small packages of filterd, signed and published as large ones are."""

from __future__ import annotations

import subprocess
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from filterd.publish.program_packages import read_program, sign_program

if TYPE_CHECKING:
    from pathlib import Path

    from tests.support.publisher import Publisher


def a_package(
    folder: Path,
    version: str = "0.2.0",
    debian: str = "13",
    architecture: str = "amd64",
    *,
    name: str = "filterd",
) -> Path:
    """Return a package that installs nothing; its content differs by its fields."""
    full = f"{version}+deb{debian}" if debian else version
    tree = folder / f"{name}-{full}-{architecture}"
    (tree / "DEBIAN").mkdir(parents=True)
    fields = {
        "Package": name,
        "Version": full,
        "Architecture": architecture,
        "Maintainer": "school <it@school.example>",
        "Description": "small",
    }
    control = "".join(f"{key}: {value}\n" for key, value in fields.items())
    (tree / "DEBIAN" / "control").write_text(control)
    package = folder / f"{tree.name}.deb"
    command = ["dpkg-deb", "--build", "--root-owner-group", "-Zgzip", str(tree), str(package)]
    subprocess.run(command, check=True, capture_output=True)
    return package


@dataclass
class Maker:
    """The makers of the program, and the publisher that they carry parcels to."""

    folder: Path
    publisher: Publisher

    @property
    def parcel(self) -> Path:
        """The folder of the last parcel."""
        return self.folder / "parcel"

    def sign(self, *packages: Path, **how: Any) -> Path:
        """Sign packages; return the parcel."""
        how.setdefault("now", self.publisher.now)
        sign_program(packages, self.parcel, self.publisher.signers["program"], **how)
        return self.parcel

    def offer(self, version: str = "0.2.0", **how: Any) -> Path:
        """Publish a package of a version; return it."""
        package = a_package(self.folder / "built", version)
        self.publish(self.sign(package, **how))
        return package

    def publish(self, parcel: Path) -> int:
        """Publish a parcel; return the number of the publication."""
        now = self.publisher.now
        return self.publisher.repository.renew(
            self.publisher.signers, now=now, parcels=[read_program(parcel, now)]
        )
