# SPDX-License-Identifier: Apache-2.0
"""AdGuardHome.yaml is read, of this release and of those before."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from filterd.config.adguard_settings import read_adguard
from filterd.errors import ConfigError

if TYPE_CHECKING:
    from pathlib import Path

SETTINGS = """\
filters:
  - {enabled: true, url: "https://lists.example/filter.txt", name: A, id: 1}
  - {enabled: false, url: "https://lists.example/off.txt", name: B, id: 2}
whitelist_filters:
  - {enabled: true, url: "https://lists.example/allowed.txt", name: C, id: 3}
user_rules:
  - "! a comment"
  - "||bad.example^"
  - "@@||hoc-lieu.example^$important"
  - "0.0.0.0 tracker.example"
  - "/ads[0-9]+/"
  - "||app.example^$client=192.0.2.7"
filtering:
  blocked_services: {ids: [tiktok]}
  rewrites:
    - {domain: printer.lan, answer: 192.168.1.20}
    - {domain: "*.wild.lan", answer: 192.168.1.21}
    - {domain: off.lan, answer: 192.168.1.22, enabled: false}
clients:
  persistent:
    - {name: Phòng máy, ids: [192.0.2.0/24]}
"""


def test_filters_rules_and_rewrites_are_taken(tmp_path: Path) -> None:
    file = tmp_path / "AdGuardHome.yaml"
    file.write_text(SETTINGS, encoding="utf-8")
    found = read_adguard(file)
    url = "https://lists.example/filter.txt"
    assert found.follow == [{"url": url, "category": "ads-trackers", "format": "adblock"}]
    assert [(*one.items(),)[0] for one in found.exceptions] == [
        ("block", "bad.example"),
        ("allow", "hoc-lieu.example"),
        ("block", "tracker.example"),
    ]
    assert found.zones == {"lan": ["printer.lan. A 192.168.1.20"]}
    assert [what for what, _ in found.not_taken] == [
        "https://lists.example/off.txt",
        "https://lists.example/allowed.txt",
        "/ads[0-9]+/",
        "||app.example^$client=192.0.2.7",
        "*.wild.lan 192.168.1.21",
        "off.lan",
        "tiktok",
        "Phòng máy",
    ]


def test_rewrites_of_an_old_release_are_found_under_dns(tmp_path: Path) -> None:
    file = tmp_path / "AdGuardHome.yaml"
    file.write_text(
        "dns:\n  rewrites: [{domain: a.lan, answer: 192.0.2.1}]\n  blocked_services: [tiktok]\n",
        encoding="utf-8",
    )
    found = read_adguard(file)
    assert found.zones == {"lan": ["a.lan. A 192.0.2.1"]}
    assert len(found.not_taken) == 1


@pytest.mark.parametrize(
    "text",
    ["[]", "filters: {a: 1}", "filters: [1, {url: {}}]", "user_rules: 7", "filtering: []", "{}"],
)
def test_other_shapes_do_no_harm(tmp_path: Path, text: str) -> None:
    file = tmp_path / "AdGuardHome.yaml"
    file.write_text(text, encoding="utf-8")
    assert read_adguard(file).exceptions == []


@pytest.mark.parametrize("content", [b"\xff\xfe", b"a: [", b"a: &a [*a]"])
def test_what_is_no_yaml_is_refused(tmp_path: Path, content: bytes) -> None:
    file = tmp_path / "AdGuardHome.yaml"
    file.write_bytes(content)
    with pytest.raises(ConfigError):
        read_adguard(file)
