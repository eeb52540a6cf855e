# SPDX-License-Identifier: Apache-2.0
"""The editable install: the checkout itself as a distribution of an environment."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from deploy.checkout.environment_folder import head, replace_file
from deploy.checkout.facts import ROOT

if TYPE_CHECKING:
    from pathlib import Path

    from deploy.checkout.project import Project

_SCRIPT = b"""\
import sys
from filterd.cli.entry import main
if __name__ == "__main__":
    sys.exit(main())
"""


def add_project(folder: Path, final: Path, project: Project) -> None:
    """Put the checkout itself into an environment: its path, its command, its metadata.

    Args:
        folder: the environment, as it is named now.
        final: the name that it will have.
        project: what the checkout asks for.
    """
    (site,) = (folder / "lib").glob("python3.*/site-packages")
    place = final / site.relative_to(folder)
    # A relative path is read alike in every encoding, and the checkout may be moved.
    inside = final.is_relative_to(ROOT)
    path = os.path.relpath(ROOT, place) if inside else str(ROOT)
    replace_file(site / "filterd.pth", os.fsencode(path) + b"\n")
    script = head(os.fsencode(final / "bin" / "python")) + _SCRIPT
    replace_file(folder / "bin" / "filterd", script, 0o755)
    about = site / f"filterd-{project.version}.dist-info"
    about.mkdir(exist_ok=True)
    needs = "".join(f"Requires-Dist: {one}\n" for one in project.run)
    metadata = f"Metadata-Version: 2.1\nName: filterd\nVersion: {project.version}\n{needs}"
    texts = {
        "METADATA": metadata,
        "INSTALLER": "make\n",
        "entry_points.txt": "[console_scripts]\nfilterd = filterd.cli.entry:main\n",
    }
    names = ["filterd.pth", *(f"{about.name}/{name}" for name in (*texts, "RECORD"))]
    for name, text in {**texts, "RECORD": "".join(f"{one},,\n" for one in names)}.items():
        replace_file(about / name, text.encode())
