# SPDX-License-Identifier: Apache-2.0
"""The files that ship in policies/ load, keep their contract, and are explained."""

from __future__ import annotations

import re
from functools import cache
from typing import TYPE_CHECKING, Any

import pytest

from filterd.base.paths import shipped
from filterd.config.compile import compile_policy, warnings
from filterd.config.site_reader import load_site
from filterd.config.site_schema import SiteFile
from filterd.config.tiers import Settings, TierFile
from filterd.documents import parse, validate
from filterd.lists.catalogs.catalog import Catalog, load_catalog
from filterd.policy.model import TIER_OF_GRADE, TIERS, Policy
from tests.support.json_schema import json_schemas, schema_text
from tests.support.policies import NOW

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

FOLDER = shipped("policies")
PRIMARY = [str(number) for number in range(1, 6)]
NETWORKS = {
    **{f"127.0.{number}.0/24": str(number) for number in range(1, 13)},
    "127.0.100.0/24": "staff",
    "127.0.101.0/24": "preschool",
    "127.0.102.0/24": "guest",
    "127.0.110.0/24": "6",
}


@cache
def _catalog() -> Catalog:
    return load_catalog(shipped("blocklists"))


@cache
def _policy() -> Policy:
    return compile_policy(load_site(FOLDER), _catalog())


def _readme() -> str:
    return (FOLDER / "README.md").read_text(encoding="utf-8")


def test_every_tier_has_its_file() -> None:
    assert {path.stem for path in FOLDER.glob("*.yaml")} == {"site", *TIERS}


@pytest.mark.parametrize("path", sorted(FOLDER.glob("*.yaml")), ids=lambda path: path.name)
def test_each_file_names_its_schema_for_editors(path: Path) -> None:
    kind = "site" if path.stem == "site" else "tier"
    first = path.read_text(encoding="utf-8").partition("\n")[0]
    assert first == f"# yaml-language-server: $schema=schema/{kind}.schema.json"


@pytest.mark.parametrize(
    "name", ["site.schema.json", "tier.schema.json", "expectations.schema.json"]
)
def test_the_schemas_are_up_to_date(name: str) -> None:
    written = (FOLDER / "schema" / name).read_text(encoding="utf-8")
    assert written == schema_text(json_schemas()[name])


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


def test_loopback_networks_stand_for_classes() -> None:
    found = {cidr: network.grade for network in _policy().networks for cidr in network.cidrs}
    assert found == NETWORKS


def test_the_sample_has_a_room_with_a_timetable_and_a_schedule() -> None:
    (room,) = [network for network in _policy().networks if network.room]
    assert {period.grade for period in room.timetable} >= {"6", "9"}
    assert _policy().lessons[0].id == "tiet-1"
    assert len(_policy().schedules) == 1
    assert warnings(load_site(FOLDER), _policy(), NOW) == ()


def test_the_time_of_day_changes_nothing_for_the_classes_of_the_sample() -> None:
    """A trial at night shows the output of the README."""
    assert {one.whom for one in _policy().scheduled} == {"lab-a"}


def test_the_sample_listens_on_loopback_only() -> None:
    addresses = {(listen.address, listen.port) for listen in _policy().listen}
    assert addresses == {("127.0.0.1", 5300), ("::1", 5300)}


def test_an_unknown_client_is_closed_whatever_any_class_is_closed() -> None:
    policy = _policy()
    strictest = policy.grades[policy.unknown_grade].closed
    assert all(policy.grades[network.grade].closed <= strictest for network in policy.networks)


def test_locked_categories_hold_for_everybody() -> None:
    locked = {category.id for category in _catalog().categories if category.locked}
    assert {"porn", "gambling", "law-ordered"} <= locked
    assert all(locked <= grade.closed for grade in _policy().grades.values())


@pytest.mark.parametrize("category", ["social-media", "games", "streaming"])
def test_primary_is_closed_what_staff_may_use(category: str) -> None:
    grades = _policy().grades
    assert all(category in grades[grade].closed for grade in [*PRIMARY, "preschool", "guest"])
    assert category not in grades["staff"].closed


@pytest.mark.parametrize(("grade", "is_open"), [("6", False), ("7", False), ("8", True)])
def test_an_age_of_thirteen_opens_at_grade_8(grade: str, is_open: bool) -> None:
    thirteen = {category.id for category in _catalog().categories if category.min_age == 13}
    assert thirteen
    assert thirteen.isdisjoint(_policy().grades[grade].closed) is is_open


def test_what_is_open_stays_open_to_older_pupils() -> None:
    grades = _policy().grades
    for younger in range(1, 12):
        assert grades[str(younger + 1)].closed <= grades[str(younger)].closed


def test_no_exception_of_the_sample_is_about_a_name_that_exists() -> None:
    assert _policy().rules
    assert all(rule.name.endswith(b"\x07example\0") for rule in _policy().rules)


def _keys(model: Any) -> Iterator[str]:
    for definition in [model, *model.get("$defs", {}).values()]:
        yield from definition.get("properties", {})
        for part in definition.get("properties", {}).values():
            for choice in part.get("anyOf", ()):
                yield from choice.get("properties", {})


@pytest.mark.parametrize(
    "key", sorted({key for schema in json_schemas().values() for key in _keys(schema)})
)
def test_the_readme_explains_every_key(key: str) -> None:
    assert f"`{key}`" in _readme()


def _examples() -> list[str]:
    return re.findall(r"```yaml\n(.*?)```", _readme(), flags=re.DOTALL)


def test_the_readmes_tier_file_is_right() -> None:
    (text,) = [text for text in _examples() if text.startswith("tier:")]
    assert validate(parse(text.encode(), "README.md"), TierFile).inherits == "lower-secondary"


def test_the_readmes_examples_are_one_site(tmp_path: Path) -> None:
    parts = [text for text in _examples() if not text.startswith("tier:")]
    (tmp_path / "site.yaml").write_text("school: {name: A}\n" + "".join(parts), encoding="utf-8")
    policy = compile_policy(load_site(tmp_path), _catalog())
    assert len(policy.networks) == 3
    assert len(policy.scheduled) == 4
    assert warnings(load_site(tmp_path), policy, NOW) == ()
    assert len(policy.local_zones[0].records) == 8


def test_the_readme_states_the_defaults_that_hold() -> None:
    rows = dict(re.findall(r"^\| `(\w+)` \|.*\| `?([^|`]+)`? \|$", _readme(), flags=re.MULTILINE))
    assert {key: rows[key] for key in ("by_age", "block_response", "client_ttl_max_s")} == {
        "by_age": "true",
        "block_response": "nxdomain",
        "client_ttl_max_s": "600",
    }
    assert set(Settings.model_fields) <= set(rows) | {"sinkhole"}


def test_the_readme_names_the_tier_of_each_grade() -> None:
    assert all(f"`{tier}.yaml`" in _readme() for tier in TIER_OF_GRADE.values())
