# SPDX-License-Identifier: Apache-2.0
"""Settings of another filter become pieces of site.yaml, or are named with the reason."""

from __future__ import annotations

import gzip
import io
import json
import sqlite3
import tarfile
import zipfile
from typing import TYPE_CHECKING

import pytest

from filterd.base import archives
from filterd.base.errors import ConfigError
from filterd.base.paths import shipped
from filterd.config import imported_settings
from filterd.config.compile import compile_policy
from filterd.config.imported_settings import (
    MOST,
    ImportedSettings,
    read_adguard,
    read_pihole,
)
from filterd.config.site_reader import load_site
from filterd.lists.catalogs.catalog import load_catalog, shipped_sources
from tests.support.shared_data import shared

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
    assert [exception["block"] for exception in found.exceptions] == ([name] if name else [])
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
    assert [(*exception.items(),)[0] for exception in found.exceptions] == [
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


LIST = "https://lists.example/hosts.txt"
SCHEMA = """
CREATE TABLE adlist (id INTEGER, type INTEGER, address TEXT, enabled BOOLEAN, comment TEXT);
CREATE TABLE domainlist (id INTEGER, type INTEGER, domain TEXT, enabled BOOLEAN, comment TEXT);
INSERT INTO adlist VALUES (1, 0, 'https://lists.example/hosts.txt', 1, '');
INSERT INTO adlist VALUES (2, 0, 'https://lists.example/off.txt', 0, '');
INSERT INTO adlist VALUES (3, 1, 'https://lists.example/allowed.txt', 1, '');
INSERT INTO domainlist VALUES (1, 0, 'hoc-lieu.example', 1, 'bài học');
INSERT INTO domainlist VALUES (2, 1, 'bad.example', 1, NULL);
INSERT INTO domainlist VALUES (3, 3, '(\\.|^)ads\\.example$', 1, NULL);
INSERT INTO domainlist VALUES (4, 3, '^ads[0-9]+', 1, NULL);
INSERT INTO domainlist VALUES (5, 1, 'off.example', 0, NULL);
"""
TOML = """
[dns]
hosts = ["192.168.1.20 printer.lan", "192.168.1.21 nas.lan # files"]
cnameRecords = ["files.lan,nas.lan", "old.lan,nas.lan,300"]
"""


def _database(path: Path, schema: str = SCHEMA) -> bytes:
    connection = sqlite3.connect(path)
    connection.executescript(schema)
    connection.close()
    return path.read_bytes()


def _zip(path: Path, **parts: bytes) -> Path:
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, part in parts.items():
            archive.writestr(name.replace("__", "/"), part)
    return path


def _tar(path: Path, parts: dict[str, bytes]) -> Path:
    with tarfile.open(path, "w:gz") as archive:
        for name, part in parts.items():
            member = tarfile.TarInfo(name)
            member.size = len(part)
            archive.addfile(member, io.BytesIO(part))
    return path


def test_a_backup_of_release_6_has_its_database_and_its_names(tmp_path: Path) -> None:
    database = _database(tmp_path / "gravity.db")
    file = tmp_path / "backup.zip"
    with zipfile.ZipFile(file, "w") as archive:
        archive.writestr("etc/pihole/gravity.db", database)
        archive.writestr("etc/pihole/pihole.toml", TOML)
        archive.writestr("etc/hosts", "127.0.0.1 localhost")
    found = read_pihole(file)
    assert found.follow == [{"url": LIST, "category": "ads-trackers", "format": "hosts"}]
    assert [(*exception.items(),)[0] for exception in found.exceptions] == [
        ("allow", "hoc-lieu.example"),
        ("block", "bad.example"),
        ("block", "ads.example"),
    ]
    assert found.zones["lan"] == [
        "printer.lan. A 192.168.1.20",
        "nas.lan. A 192.168.1.21",
        "files.lan. CNAME nas.lan.",
        "old.lan. CNAME nas.lan.",
    ]
    assert len(found.not_taken) == 4
    again = read_pihole(tmp_path / "gravity.db")
    assert (again.follow, again.exceptions) == (found.follow, found.exceptions)


def test_a_backup_of_release_5_has_a_file_for_each_table(tmp_path: Path) -> None:
    rows = {
        "adlist.json": [{"address": LIST, "enabled": 1}],
        "whitelist.exact.json": [{"domain": "hoc-lieu.example", "enabled": 1, "comment": "x"}],
        "blacklist.exact.json": [{"domain": "bad.example", "enabled": 1}],
        "blacklist.regex.json": [{"domain": "^ads", "enabled": 1}],
    }
    parts = {name: json.dumps(value).encode() for name, value in rows.items()}
    parts["custom.list"] = b"192.168.1.20 printer.lan\n"
    parts["dnsmasq.d/05-pihole-custom-cname.conf"] = b"cname=files.lan,printer.lan\n"
    parts["setupVars.conf"] = b"BLOCKING_ENABLED=true\n"
    found = read_pihole(_tar(tmp_path / "backup.tar.gz", parts))
    assert len(found.follow) == 1
    assert len(found.exceptions) == 2
    assert found.zones["lan"] == ["printer.lan. A 192.168.1.20", "files.lan. CNAME printer.lan."]
    assert [what for what, _ in found.not_taken] == ["^ads"]


def test_a_list_of_addresses_is_taken(tmp_path: Path) -> None:
    file = tmp_path / "adlists.list"
    file.write_text(f"# lists\n{LIST}\nhttp://lists.example/a.txt\n", encoding="utf-8")
    found = read_pihole(file)
    assert len(found.follow) == 1
    assert [what for what, _ in found.not_taken] == ["http://lists.example/a.txt"]


ENDLESS = """
CREATE VIEW adlist AS WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n)
  SELECT i AS type, 'x' AS address FROM n WHERE i < 0;
CREATE TABLE domainlist (type INTEGER, domain TEXT, enabled BOOLEAN, comment TEXT);
"""


def test_a_query_without_an_end_is_broken_off(tmp_path: Path) -> None:
    _database(tmp_path / "gravity.db", ENDLESS)
    with pytest.raises(ConfigError, match="this is not a file of a Pi-hole"):
        read_pihole(tmp_path / "gravity.db")


def test_control_the_bound_of_steps_is_what_breaks_it_off(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(imported_settings, "_MOST_STEPS", 0)
    _database(tmp_path / "gravity.db", SCHEMA + "INSERT INTO adlist SELECT * FROM adlist;" * 12)
    with pytest.raises(ConfigError):
        read_pihole(tmp_path / "gravity.db")


def test_what_unpacks_to_more_than_a_backup_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(imported_settings, "MOST_OCTETS", 1 << 16)
    bomb = b"0" * (1 << 20)
    (tmp_path / "a.tar.gz").write_bytes(gzip.compress(bomb))
    for file in (_zip(tmp_path / "a.zip", **{"custom.list": bomb}), tmp_path / "a.tar.gz"):
        with pytest.raises(ConfigError, match="this is not a file of a Pi-hole"):
            read_pihole(file)


def _sparse(path: Path, size: int) -> Path:
    """Write a tar.gz with a file that is one hole, of which it has no octet."""
    header = bytearray(tarfile.TarInfo("custom.list").tobuf(tarfile.GNU_FORMAT))
    header[156:157] = tarfile.GNUTYPE_SPARSE
    header[386:410] = b"%011o\0%011o\0" % (size, 0)
    header[483:495] = b"%011o\0" % size
    header[148:156] = b" " * 8
    header[148:155] = b"%06o\0" % sum(header)
    path.write_bytes(gzip.compress(bytes(header) + bytes(1024)))
    return path


def test_a_file_of_holes_is_not_read(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="this is not a file of a Pi-hole"):
        read_pihole(_sparse(tmp_path / "a.tar.gz", 1 << 20))


def test_control_without_a_look_at_headers_its_holes_are_filled_up_to_the_bound(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(archives, "_Header", tarfile.TarInfo)
    file = _sparse(tmp_path / "a.tar.gz", 1 << 20)
    assert read_pihole(file).follow == []
    monkeypatch.setattr(imported_settings, "MOST_OCTETS", 1 << 16)
    with pytest.raises(ConfigError, match="this is not a file of a Pi-hole"):
        read_pihole(file)


def test_an_archive_with_a_long_directory_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = _zip(tmp_path / "a.zip", **{f"n{number}": b"" for number in range(100)})
    assert read_pihole(file).follow == []
    monkeypatch.setattr(archives, "MOST_DIRECTORY_OCTETS", 1_000)
    with pytest.raises(ConfigError):
        read_pihole(file)


@pytest.mark.parametrize(
    "content",
    [b"PK\3\4", b"\x1f\x8b\x08", b"SQLite format 3\0" + b"\xff" * 200],
)
def test_a_damaged_file_is_refused_in_a_line(tmp_path: Path, content: bytes) -> None:
    file = tmp_path / "file"
    file.write_bytes(content)
    with pytest.raises(ConfigError, match="this is not a file of a Pi-hole"):
        read_pihole(file)
    deep = _tar(tmp_path / "deep.tar.gz", {"adlist.json": b"[" * 100_000})
    with pytest.raises(ConfigError):
        read_pihole(deep)


def test_a_missing_file_is_reported(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="cannot be read"):
        read_pihole(tmp_path / "none")


def test_a_real_database_is_read(tmp_path: Path) -> None:
    script = shared("vectors/pihole-ftl/gravity.db.sql")
    _database(tmp_path / "gravity.db", script.read_text(encoding="utf-8"))
    found = read_pihole(tmp_path / "gravity.db")
    assert [one["url"] for one in found.follow] == ["https://pi-hole.net/block.txt"]
    assert "denied.ftl" in [exception.get("block") for exception in found.exceptions]
