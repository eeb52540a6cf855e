# SPDX-License-Identifier: Apache-2.0
"""Settings of another filter become pieces of site.yaml, or are named with the reason."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from filterd.config.compile import compile_policy
from filterd.config.imported_settings import MOST, ImportedSettings
from filterd.config.site_reader import load_site
from filterd.lists.catalog import load_catalog, shipped_sources
from filterd.paths import shipped

if TYPE_CHECKING:
    from pathlib import Path


def an_import() -> ImportedSettings:
    return ImportedSettings("Imported from a test")


def test_what_is_taken_is_a_valid_part_of_site_yaml(tmp_path: Path) -> None:
    found, known = an_import(), shipped_sources()[0]
    found.take_list(known.address, "hosts")
    found.take_list("https://lists.example/hosts.txt", "hosts")
    found.take_name("WWW.Hoc-Lieu.example.", allow=True, why="bài\n học")
    found.take_name("bad.example", allow=False)
    found.take_pattern(r"(\.|^)tracker\.example$", allow=False)
    found.take_record("printer.school.lan", "192.168.1.20")
    found.take_record("nas.school.lan", "fd00::20")
    found.take_record("files.school.lan", "nas.school.lan")
    found.take_record("portal.school.example", "192.168.1.2")
    assert found.not_taken == []
    (tmp_path / "site.yaml").write_text(f"school: {{name: A}}\n{found.to_yaml()}", encoding="utf-8")
    policy = compile_policy(load_site(tmp_path), load_catalog(shipped("blocklists")))
    assert [(rule.allow, rule.reason) for rule in policy.rules] == [
        (True, "Imported from a test: bài học"),
        (False, "Imported from a test"),
        (False, "Imported from a test"),
    ]
    assert {len(zone.records) for zone in policy.local_zones} == {3, 1}
    assert found.follow[0] == known.id
    assert found.guessed == ["https://lists.example/hosts.txt"]


def test_nothing_is_taken_twice() -> None:
    found = an_import()
    for _ in range(2):
        found.take_list("https://lists.example/hosts.txt", "hosts")
        found.take_name("a.example", allow=True)
        found.take_record("a.lan", "192.0.2.1")
    assert (len(found.follow), len(found.exceptions)) == (1, 1)
    assert found.zones == {"lan": ["a.lan. A 192.0.2.1"]}


def test_a_zone_within_another_is_one_zone() -> None:
    found = an_import()
    found.take_record("a.b.lan", "192.0.2.1")
    found.take_record("c.lan", "192.0.2.2")
    assert found.to_site()["local_zones"] == [
        {"name": "lan", "records": ["c.lan. A 192.0.2.2", "a.b.lan. A 192.0.2.1"]}
    ]


@pytest.mark.parametrize(
    ("pattern", "name"),
    [
        (r"(\.|^)ads\.example$", "ads.example"),
        (r"(^|\.)ads\.example$", "ads.example"),
        (r"^(.+\.)?ads\.example$", "ads.example"),
        (r"ads\.example$", None),
        (r"^ads[0-9]+\.", None),
        (r".*", None),
    ],
)
def test_a_pattern_is_taken_if_it_is_a_name_with_all_beneath(
    pattern: str, name: str | None
) -> None:
    found = an_import()
    found.take_pattern(pattern, allow=False)
    assert [one["block"] for one in found.exceptions] == ([name] if name else [])
    assert len(found.not_taken) == (name is None)


def test_what_cannot_be_taken_is_named_with_the_reason() -> None:
    found = an_import()
    found.take_list("http://lists.example/hosts.txt", "hosts")
    found.take_list("https://lists.example/off.txt", "hosts", enabled=False)
    found.take_name("edu.vn", allow=True)
    found.take_name("not a name", allow=True)
    found.take_record("alias.example", "other.example")
    found.take_record("\x1b[31m", "192.0.2.1")
    assert (found.follow, found.exceptions, found.zones) == ([], [], {})
    assert len(found.not_taken) == 6
    assert all(what.isprintable() and str(why) for what, why in found.not_taken)
    assert found.to_yaml() == ""


def test_too_many_are_counted_and_not_kept() -> None:
    found = an_import()
    for number in range(MOST + 300):
        found.take_name(f"n{number}.example", allow=False)
    assert len(found.exceptions) == MOST
    assert len(found.not_taken) + found.left_out == 300
