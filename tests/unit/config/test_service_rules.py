# SPDX-License-Identifier: Apache-2.0
"""The catalogue's services, the school's own, and ``keep_closed``."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from filterd.config.compile import own_lists
from filterd.config.site_reader import load_site
from filterd.errors import ConfigErrors
from filterd.policy.model import Service
from tests.support.site import SCHOOL, WITH_SERVICES, a_policy, problems

if TYPE_CHECKING:
    from pathlib import Path

OWN = """\
services:
  thi:
    name: {vi: Thi, en: Exam}
    group: education
    names:
      - thi.example
      - cdn-thi.example
"""


def test_a_policy_has_the_services_of_catalogue_and_site(tmp_path: Path) -> None:
    services = a_policy(tmp_path, OWN, WITH_SERVICES).services
    assert list(services) == ["youtube", "bigo", "tiktok", "roblox", "azota", "bet", "thi"]
    names = (b"\3thi\7example\0", b"\7cdn-thi\7example\0")
    assert services["thi"] == Service("thi", "Thi", "Exam", "education", None, names)
    assert services["youtube"].min_age == 13


def test_own_services_are_compiled_with_the_schools_lists(tmp_path: Path) -> None:
    (tmp_path / "site.yaml").write_text(SCHOOL + OWN, encoding="utf-8")
    (source,) = own_lists(load_site(tmp_path), WITH_SERVICES)
    assert (source.id, source.category, source.own) == ("service:thi", "education", True)
    assert source.path == str(tmp_path / "site.yaml")
    assert source.names is not None
    assert [line for line, _ in source.names] == [7, 8]


@pytest.mark.parametrize(
    ("old", "new", "problem"),
    [
        ("  thi:", "  youtube:", "3:3: 'youtube' is a service of the catalogue already"),
        ("education", "educaton", "5:5: group: 'educaton' is not a category (did you mean"),
        ("education", "law-ordered", "5:5: group: 'law-ordered' is for what the authorities"),
    ],
)
def test_what_an_own_service_cannot_be_is_told(
    tmp_path: Path, old: str, new: str, problem: str
) -> None:
    (found,) = problems(tmp_path, OWN.replace(old, new), WITH_SERVICES)
    assert found.startswith(f"site.yaml:{problem}")


def test_a_wrong_service_is_not_compiled_either(tmp_path: Path) -> None:
    text = SCHOOL + OWN.replace("education", "educaton")
    (tmp_path / "site.yaml").write_text(text, encoding="utf-8")
    with pytest.raises(ConfigErrors, match="'educaton' is not a category"):
        own_lists(load_site(tmp_path), WITH_SERVICES)


def test_an_own_service_may_be_named_like_any_other(tmp_path: Path) -> None:
    site = OWN + "grades:\n  9: {services: {block: [thi]}}\nkeep_closed: {services: [thi]}\n"
    policy = a_policy(tmp_path, site, WITH_SERVICES)
    assert "service:thi" in policy.grades["9"].closed
    assert policy.kept_closed == {"service:thi"}


def test_what_is_kept_closed_must_exist(tmp_path: Path) -> None:
    site = "keep_closed:\n  categories: [game]\n  services: [azot]\n"
    assert problems(tmp_path, site, WITH_SERVICES) == [
        "site.yaml:3:16: 'game' is not a category (did you mean 'games'?)",
        "site.yaml:4:14: 'azot' is not a service (did you mean 'azota'?)",
    ]
