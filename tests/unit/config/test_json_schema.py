# SPDX-License-Identifier: Apache-2.0
"""The schemas for editors agree with the models."""

from __future__ import annotations

from typing import TYPE_CHECKING

from filterd.config.json_schema import export_schemas, json_schemas, schema_text
from filterd.config.site_schema import SiteFile
from filterd.config.tiers import TierFile

if TYPE_CHECKING:
    from pathlib import Path


def test_there_is_a_schema_for_each_kind_of_file() -> None:
    kinds = ("expectations", "site", "tier")
    assert set(json_schemas()) == {f"{kind}.schema.json" for kind in kinds}


def test_unknown_keys_are_marked() -> None:
    schemas = json_schemas()
    one = schemas.pop("expectations.schema.json")["$defs"]["Expectation"]
    for schema in (one, *schemas.values()):
        assert schema["additionalProperties"] is False


def test_every_key_is_described() -> None:
    for model in (SiteFile, TierFile):
        for field in model.model_fields.values():
            assert field.description


def test_a_grade_may_be_a_number_for_an_editor_too() -> None:
    unknown = json_schemas()["site.schema.json"]["properties"]["unknown"]
    assert {6, "6", "staff"} <= set(unknown["anyOf"][0]["enum"])


def test_schemas_are_written_as_they_are(tmp_path: Path) -> None:
    export_schemas(tmp_path)
    for name, schema in json_schemas().items():
        assert (tmp_path / name).read_text(encoding="utf-8") == schema_text(schema)
