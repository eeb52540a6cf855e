# SPDX-License-Identifier: Apache-2.0
"""A Pi-hole is read from its backups of both kinds, its database, and a list of addresses."""

from __future__ import annotations

import gzip
import io
import json
import sqlite3
import tarfile
import zipfile
from typing import TYPE_CHECKING

import pytest

from filterd import zip_directory
from filterd.config import pihole_backup
from filterd.config.pihole_backup import read_pihole
from filterd.errors import ConfigError
from tests.support.shared_data import shared

if TYPE_CHECKING:
    from pathlib import Path

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
    assert [(*one.items(),)[0] for one in found.exceptions] == [
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
    with pytest.raises(ConfigError, match="this is no file of a Pi-hole"):
        read_pihole(tmp_path / "gravity.db")


def test_control_the_bound_of_steps_is_what_breaks_it_off(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(pihole_backup, "_MOST_STEPS", 0)
    _database(tmp_path / "gravity.db", SCHEMA + "INSERT INTO adlist SELECT * FROM adlist;" * 12)
    with pytest.raises(ConfigError):
        read_pihole(tmp_path / "gravity.db")


def test_what_unpacks_to_more_than_a_backup_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(pihole_backup, "MOST_OCTETS", 1 << 16)
    bomb = b"0" * (1 << 20)
    (tmp_path / "a.tar.gz").write_bytes(gzip.compress(bomb))
    for file in (_zip(tmp_path / "a.zip", **{"custom.list": bomb}), tmp_path / "a.tar.gz"):
        with pytest.raises(ConfigError, match="this is no file of a Pi-hole"):
            read_pihole(file)


def test_an_archive_with_a_long_directory_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = _zip(tmp_path / "a.zip", **{f"n{number}": b"" for number in range(100)})
    assert read_pihole(file).follow == []
    monkeypatch.setattr(zip_directory, "MOST_OCTETS", 1_000)
    with pytest.raises(ConfigError):
        read_pihole(file)


@pytest.mark.parametrize(
    "content",
    [b"PK\3\4", b"\x1f\x8b\x08", b"SQLite format 3\0" + b"\xff" * 200],
)
def test_a_damaged_file_is_refused_in_a_line(tmp_path: Path, content: bytes) -> None:
    file = tmp_path / "file"
    file.write_bytes(content)
    with pytest.raises(ConfigError, match="this is no file of a Pi-hole"):
        read_pihole(file)
    deep = _tar(tmp_path / "deep.tar.gz", {"adlist.json": b"[" * 100_000})
    with pytest.raises(ConfigError):
        read_pihole(deep)


def test_a_missing_file_is_told(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="cannot be read"):
        read_pihole(tmp_path / "none")


def test_a_real_database_is_read(tmp_path: Path) -> None:
    script = shared("vectors/pihole-ftl/gravity.db.sql")
    _database(tmp_path / "gravity.db", script.read_text(encoding="utf-8"))
    found = read_pihole(tmp_path / "gravity.db")
    assert [one["url"] for one in found.follow] == ["https://pi-hole.net/block.txt"]
    assert "denied.ftl" in [one.get("block") for one in found.exceptions]
