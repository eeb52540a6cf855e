# SPDX-License-Identifier: Apache-2.0
"""The files of a site are found, checked one by one, and completed by the shipped ones."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from filterd.config.site_reader import inheritance, load_site, shipped_tiers
from filterd.errors import ConfigErrors
from filterd.paths import shipped
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


def test_mistakes_of_all_files_are_told_at_once(tmp_path: Path) -> None:
    _write(tmp_path, staff=_tier("staff", "x: 1\n"), guest="tier: guest\n", primary="a: [")
    (tmp_path / "site.yaml").write_text("schol: {}\n")
    files = [line.partition(":")[0] for line in _problems(tmp_path)]
    assert files == ["guest.yaml", "primary.yaml", "site.yaml", "site.yaml", "staff.yaml"]


def test_a_file_about_another_tier_is_refused(tmp_path: Path) -> None:
    _write(tmp_path, staff=_tier("guest"))
    (problem,) = _problems(tmp_path)
    assert problem.startswith("staff.yaml:1:1: the file is about the tier 'guest'")


def test_inheritance_begins_with_the_one_that_inherits_from_nobody(tmp_path: Path) -> None:
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


def test_the_tiers_as_they_ship_can_be_had_whatever_the_site_says() -> None:
    assert {tier.document.path for tier in shipped_tiers().values()} == {
        str(shipped("policies") / f"{tier}.yaml") for tier in TIERS
    }
