# SPDX-License-Identifier: Apache-2.0
"""The files of a site are found, checked one by one, and completed by the shipped ones."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from filterd.base.errors import ConfigError, ConfigErrors
from filterd.base.paths import shipped
from filterd.config import site_reader
from filterd.config.build_record import look
from filterd.config.compile import compile_policy, own_lists
from filterd.config.site_reader import (
    MIGRATIONS,
    SiteFiles,
    inheritance,
    load_site,
    migrated,
    shipped_tiers,
)
from filterd.config.site_schema import VERSION
from filterd.documents import parse
from filterd.lists.catalogs.catalog import load_catalog
from filterd.policy.model import TIERS
from tests.support.site import SCHOOL

if TYPE_CHECKING:
    from pathlib import Path


def _tier(tier: str, more: str = "") -> str:
    return f"tier: {tier}\ndescription: {{vi: A, en: A}}\n{more}"


def _write(folder: Path, **files: str) -> None:
    (folder / "site.yaml").write_text(SCHOOL)
    for name, text in files.items():
        (folder / f"{name}.yaml").write_text(text)


def _problems(folder: Path) -> list[str]:
    with pytest.raises(ConfigErrors) as caught:
        load_site(folder)
    return [str(error).removeprefix(f"{folder}/") for error in caught.value.errors]


def test_a_site_without_tier_files_has_the_shipped_ones(tmp_path: Path) -> None:
    _write(tmp_path)
    sources = load_site(tmp_path)
    assert set(sources.tiers) == set(TIERS)
    assert sources.tiers["staff"].document.path == str(shipped("policies") / "staff.yaml")


def test_a_tier_file_of_the_site_replaces_the_shipped_one(tmp_path: Path) -> None:
    _write(tmp_path, staff=_tier("staff", "safe_search: on\n"))
    assert load_site(tmp_path).tiers["staff"].file.safe_search == "on"


def test_a_missing_site_file_is_named(tmp_path: Path) -> None:
    assert _problems(tmp_path) == ["site.yaml: cannot be read: No such file or directory"]


def test_a_site_of_this_version_is_read_as_one_that_names_none(tmp_path: Path) -> None:
    _write(tmp_path)
    without = load_site(tmp_path).file
    (tmp_path / "site.yaml").write_text(f"version: {VERSION}\n{SCHOOL}")
    assert load_site(tmp_path).file == without
    assert without.version == VERSION


@pytest.mark.parametrize("version", [VERSION + 1, 10**30])
def test_a_site_of_a_newer_version_is_refused_for_that_alone(tmp_path: Path, version: int) -> None:
    (tmp_path / "site.yaml").write_text(f"{SCHOOL}\nkey_to_come: 1\nversion: {version}\n")
    line = len(SCHOOL.splitlines()) + 3
    assert _problems(tmp_path) == [
        f"site.yaml:{line}:1: this file is of version {version}, and this filterd knows versions"
        f" up to {VERSION} (install a newer filterd, or restore the file from before its update)"
    ]


@pytest.mark.parametrize("version", ["0", "-1", "true", "1.0", "'1'", "[1]", "~"])
def test_a_version_that_is_none_is_refused_with_its_place(tmp_path: Path, version: str) -> None:
    (tmp_path / "site.yaml").write_text(f"version: {version}\n{SCHOOL}")
    assert [line.split(": ")[:2] for line in _problems(tmp_path)] == [["site.yaml:1:1", "version"]]


def test_an_older_site_is_read_as_one_of_this_version_step_by_step(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def named(data: dict[str, Any]) -> dict[str, Any]:
        return {"school": {"name": data["name"]}}

    def with_code(data: dict[str, Any]) -> dict[str, Any]:
        return {**data, "school": {**data["school"], "code": "X"}, "version": 7}

    monkeypatch.setattr(site_reader, "VERSION", 3)
    monkeypatch.setattr(site_reader, "MIGRATIONS", {1: named, 2: with_code})
    document = parse(b"name: A\n", "site.yaml")
    assert migrated(document).data == {"version": 3, "school": {"name": "A", "code": "X"}}
    second = parse(b"version: 2\nschool: {name: B}\n", "site.yaml")
    assert migrated(second).data == {"version": 3, "school": {"name": "B", "code": "X"}}
    assert migrated(second).place(("school", "name")) == (2, 10)


def test_every_older_version_has_its_step() -> None:
    assert set(MIGRATIONS) == set(range(1, VERSION))


def test_mistakes_of_all_files_are_reported_at_once(tmp_path: Path) -> None:
    _write(tmp_path, staff=_tier("staff", "x: 1\n"), guest="tier: guest\n", primary="a: [")
    (tmp_path / "site.yaml").write_text("schol: {}\n")
    files = [line.partition(":")[0] for line in _problems(tmp_path)]
    assert files == ["guest.yaml", "primary.yaml", "site.yaml", "site.yaml", "staff.yaml"]


def test_a_file_about_another_tier_is_refused(tmp_path: Path) -> None:
    _write(tmp_path, staff=_tier("guest"))
    (problem,) = _problems(tmp_path)
    assert problem.startswith("staff.yaml:1:1: the file is about the tier 'guest'")


def test_inheritance_begins_with_the_tier_that_inherits_from_none(tmp_path: Path) -> None:
    _write(
        tmp_path,
        guest=_tier("guest", "inherits: preschool\n"),
        preschool=_tier("preschool", "inherits: primary\n"),
    )
    chain = inheritance(load_site(tmp_path).tiers, "guest")
    assert [source.file.tier for source in chain] == ["primary", "preschool", "guest"]


def test_a_tier_that_inherits_from_itself_is_refused(tmp_path: Path) -> None:
    _write(
        tmp_path,
        guest=_tier("guest", "inherits: preschool\n"),
        preschool=_tier("preschool", "inherits: guest\n"),
        staff=_tier("staff", "inherits: guest\n"),
    )
    assert [line.partition(" (")[0] for line in _problems(tmp_path)] == [
        "guest.yaml:3:1: the tier 'guest' inherits from itself",
        "preschool.yaml:3:1: the tier 'preschool' inherits from itself",
    ]


def test_the_tiers_as_they_ship_can_be_had_whatever_the_site_sets() -> None:
    assert {tier.document.path for tier in shipped_tiers().values()} == {
        str(shipped("policies") / f"{tier}.yaml") for tier in TIERS
    }


OWN = "lists: [{id: own, file: own.txt, category: porn}]\n"
EXPECTED = "- a.example is blocked for primary\n"


@pytest.fixture
def config(tmp_path: Path) -> Path:
    """A site with a list, a tier and an expectation of its own."""
    folder = tmp_path / "site"
    (folder / "expectations").mkdir(parents=True)
    (folder / "site.yaml").write_text(SCHOOL + OWN, encoding="utf-8")
    (folder / "own.txt").write_text("bad.example\n")
    (folder / "expectations" / "own.yaml").write_text(EXPECTED)
    (folder / "primary.yaml").write_bytes((shipped("policies") / "primary.yaml").read_bytes())
    return folder


def _kept(config: Path) -> dict[str, str]:
    looked = look(config, shipped("blocklists"))
    assert looked is not None
    return looked.site


def test_a_file_is_read_where_it_is(config: Path) -> None:
    files = SiteFiles(config)
    assert files.load("site.yaml").path == str(config / "site.yaml")
    assert (files.has("primary.yaml"), files.has("guest.yaml")) == (True, False)
    assert files.expectations() == ["expectations/own.yaml"]
    with pytest.raises(ConfigError, match=r"guest\.yaml: cannot be read"):
        files.load("guest.yaml")


def test_as_it_was_kept_it_makes_the_same_policy_whatever_stands_there_now(config: Path) -> None:
    catalog = load_catalog(shipped("blocklists"))
    before, lists = load_site(config), own_lists(load_site(config), catalog)
    policy, kept = compile_policy(before, catalog), _kept(config)
    for path in kept:
        (config / path).write_text("nonsense: [\n")
    site = load_site(config, kept)
    assert compile_policy(site, catalog) == policy
    assert own_lists(site, catalog) == lists
    with pytest.raises(ConfigErrors):
        load_site(config)


def test_what_was_added_since_does_not_count(config: Path) -> None:
    kept = _kept(config)
    (config / "guest.yaml").write_text("nonsense: [\n")
    (config / "expectations" / "new.yaml").write_text("nonsense: [\n")
    files = SiteFiles(config, kept)
    assert not files.has("guest.yaml")
    assert files.expectations() == ["expectations/own.yaml"]


def test_errors_name_the_file_that_people_know(config: Path) -> None:
    kept = _kept(config)
    (config / "own.txt").unlink()
    with pytest.raises(ConfigErrors) as caught:
        own_lists(load_site(config, kept), load_catalog(shipped("blocklists")))
    assert str(caught.value).startswith(str(config / "site.yaml"))
