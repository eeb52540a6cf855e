# SPDX-License-Identifier: Apache-2.0
"""A machine with releases of filterd, as files in a folder."""

from __future__ import annotations

import shutil
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from filterd.appliance.releases import Releases
from filterd.base.bounded_child import Ended

if TYPE_CHECKING:
    from collections.abc import Sequence

UNITS = ("filterd.service", "filterd-web.socket")


@dataclass
class Machine:
    """A machine beneath a folder; a release's self-test there is a script of the test."""

    root: Path
    called: list[str] = field(default_factory=list)

    @property
    def releases(self) -> Releases:
        return Releases(self.root, self._call, has_systemd=True)

    def _call(self, words: Sequence[str]) -> Ended:
        self.called.append(" ".join(words))
        return Ended(0, b"", b"")

    def unpack(self, version: str, *, says: str = "", units: Sequence[str] = UNITS) -> Path:
        """Unpack a package as dpkg does: new files in the place of the old ones."""
        unpacked = self.root / "usr/lib/filterd/release"
        shutil.rmtree(unpacked, ignore_errors=True)
        metadata = unpacked / f"lib/python3.13/site-packages/filterd-{version}.dist-info/METADATA"
        scripts = {
            "bin/python": f"#!/bin/sh\n[ -z '{says}' ] || {{ echo '{says}' >&2; exit 2; }}\n",
            "bin/filterd": f"#!/opt/filterd/releases/{version}/bin/python\nbody of {version}\n",
        }
        files = {metadata: version, **{unpacked / path: text for path, text in scripts.items()}}
        for folder in (unpacked / "share/filterd/units", self.root / "usr/lib/systemd/system"):
            files |= {folder / unit: f"{unit} of {version}" for unit in units}
        for path, text in files.items():
            path.parent.mkdir(parents=True, exist_ok=True)
            path.unlink(missing_ok=True)
            path.write_text(text, encoding="utf-8")
            path.chmod(0o755)
        return unpacked

    def install(self, version: str, *, says: str = "", units: Sequence[str] = UNITS) -> str:
        unpacked = self.unpack(version, says=says, units=units)
        return self.releases.activate(unpacked, Path("/etc/filterd"), Path("/var/lib/filterd"))

    @property
    def serves(self) -> str:
        """What runs by the link, checked to be complete."""
        script = (self.root / "opt/filterd/current/bin/filterd").read_text(encoding="utf-8")
        line, body = script.splitlines()
        assert line == f"#!/opt/filterd/releases/{self.releases.in_service}/bin/python"
        return body.removeprefix("body of ")

    def unit(self, name: str = "filterd.service") -> str:
        return (self.root / "usr/lib/systemd/system" / name).read_text(encoding="utf-8")
