# SPDX-License-Identifier: Apache-2.0
"""JSON Schema of a site's files, with which editors complete keys and mark mistakes.

``python -m tests.support.json_schema`` writes ``policies/schema``.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

from filterd.config.expectation_files import ExpectationEntry
from filterd.config.site_schema import SiteFile
from filterd.config.tiers import TierFile

if TYPE_CHECKING:
    from pydantic import BaseModel

FOLDER = Path(__file__).resolve().parents[2] / "policies" / "schema"
_DIALECT = "https://json-schema.org/draft/2020-12/schema"
_MODELS: dict[str, type[BaseModel]] = {"site": SiteFile, "tier": TierFile}


def json_schemas() -> dict[str, dict[str, Any]]:
    """Return the schema of each kind of file, by the name of the schema's file."""
    schemas = {kind: model.model_json_schema() for kind, model in _MODELS.items()}
    one = ExpectationEntry.model_json_schema()
    definitions = one.pop("$defs", {})
    schemas["expectations"] = {
        "$defs": {"Expectation": one, **definitions},
        "type": "array",
        "items": {"anyOf": [{"type": "string"}, {"$ref": "#/$defs/Expectation"}]},
    }
    return {
        f"{kind}.schema.json": {"$schema": _DIALECT, **schema} for kind, schema in schemas.items()
    }


def schema_text(schema: dict[str, Any]) -> str:
    """Return a schema as it stands in its file."""
    return json.dumps(schema, indent=2, ensure_ascii=False) + "\n"


if __name__ == "__main__":
    for name, schema in json_schemas().items():
        (FOLDER / name).write_text(schema_text(schema), encoding="utf-8")
