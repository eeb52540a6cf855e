# SPDX-License-Identifier: Apache-2.0
"""Write the bill of materials of a release: what the packages bundle, as CycloneDX in JSON."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from hashlib import sha256
from typing import TYPE_CHECKING, Any
from uuid import NAMESPACE_URL, uuid5

from deploy.package import environment, wheels
from deploy.package.documents import bundled, licence_of
from filterd.version import RELEASED_AT, __version__

if TYPE_CHECKING:
    from importlib.metadata import Distribution
    from pathlib import Path

    from deploy.package.target import Target


def bill_of_materials(targets: list[Target]) -> str:
    """Return the bill: each distribution with its licence and, beneath it, its wheels."""
    components: dict[str, dict[str, Any]] = {}
    for target in targets:
        files = wheels.dependencies(target)
        for one in bundled(environment.site_packages(environment.dependencies(target), target)):
            component = components.setdefault(_reference(one), _component(one))
            known = component["components"]
            known += [wheel for wheel in map(_file, _wheels_of(one, files)) if wheel not in known]
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
        "components": list(components.values()),
        "dependencies": [{"ref": this, "dependsOn": list(components)}],
    }
    return json.dumps(document, indent=1, sort_keys=True) + "\n"


def _reference(one: Distribution) -> str:
    return f"pkg:pypi/{_normal(one.name)}@{one.version}"


def _normal(name: str) -> str:
    return name.lower().replace("_", "-").replace(".", "-")


def _component(one: Distribution) -> dict[str, Any]:
    licence = licence_of(one)
    return {
        "type": "library",
        "bom-ref": _reference(one),
        "name": one.name,
        "version": one.version,
        "licenses": [{"expression": licence}] if licence else [],
        "purl": _reference(one),
        "components": [],
    }


def _wheels_of(one: Distribution, files: list[Path]) -> list[Path]:
    return [path for path in files if _normal(path.name.split("-")[0]) == _normal(one.name)]


def _file(path: Path) -> dict[str, Any]:
    digest = sha256(path.read_bytes()).hexdigest()
    return {"type": "file", "name": path.name, "hashes": [{"alg": "SHA-256", "content": digest}]}
