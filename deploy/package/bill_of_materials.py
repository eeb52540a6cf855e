# SPDX-License-Identifier: Apache-2.0
"""Write the bill of materials of a release: what the packages bundle, as CycloneDX in JSON."""

from __future__ import annotations

import json
import re
from datetime import UTC, datetime
from hashlib import sha256
from typing import TYPE_CHECKING, Any
from uuid import NAMESPACE_URL, uuid5

from deploy.package import environment, wheels
from deploy.package.documents import bundled, licence_of
from filterd.version import RELEASED_AT, __version__

if TYPE_CHECKING:
    from pathlib import Path

    from deploy.package.target import Target


def bill_of_materials(targets: list[Target]) -> str:
    """Return the bill: each distribution with its licence and, beneath it, its wheels."""
    found: dict[str, dict[str, Any]] = {}
    for target in targets:
        site = environment.site_packages(environment.dependencies(target), target)
        for name, component in components(site, wheels.dependencies(target)).items():
            known = found.setdefault(name, component)["components"]
            known += [wheel for wheel in component["components"] if wheel not in known]
    this = f"pkg:generic/filterd@{__version__}"
    document = {
        "bomFormat": "CycloneDX",
        "specVersion": "1.6",
        "serialNumber": f"urn:uuid:{uuid5(NAMESPACE_URL, this + wheels.LOCK.read_text('utf-8'))}",
        "version": 1,
        "metadata": {
            "timestamp": datetime.fromtimestamp(RELEASED_AT, UTC).isoformat(),
            "component": {
                "type": "application",
                "bom-ref": this,
                "name": "filterd",
                "version": __version__,
                "licenses": [{"license": {"id": "Apache-2.0"}}],
                "purl": this,
            },
        },
        "components": list(found.values()),
        "dependencies": [{"ref": this, "dependsOn": list(found)}],
    }
    return json.dumps(document, indent=1, sort_keys=True) + "\n"


def components(site: Path, files: list[Path]) -> dict[str, dict[str, Any]]:
    """Return the components in a folder of Python packages, by their names in the bill.

    Args:
        site: the folder.
        files: the wheels that it was made of.
    """
    found = {}
    for one in bundled(site):
        name, licence = f"pkg:pypi/{_normal(one.name)}@{one.version}", licence_of(one)
        found[name] = {
            "type": "library",
            "bom-ref": name,
            "name": one.name,
            "version": one.version,
            "licenses": [{"expression": licence}] if licence else [],
            "purl": name,
            "components": [
                _file(path)
                for path in files
                if _normal(path.name.split("-")[0]) == _normal(one.name)
            ],
        }
    return found


def _normal(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name).lower()


def _file(path: Path) -> dict[str, Any]:
    digest = sha256(path.read_bytes()).hexdigest()
    return {"type": "file", "name": path.name, "hashes": [{"alg": "SHA-256", "content": digest}]}
