# SPDX-License-Identifier: Apache-2.0
"""Read a Pi-hole: its teleporter file, its database, or a list of addresses.

A teleporter file is a zip or tar.gz. Whoever made the file may have been hostile: each part
is read into memory up to a bound, nothing is written, and a query of a database that takes
too long is broken off.
"""

from __future__ import annotations

import gzip
import io
import json
import sqlite3
import tarfile
import tomllib
import zipfile
import zlib
from contextlib import closing
from itertools import islice
from typing import TYPE_CHECKING, Any

from filterd import zip_directory
from filterd.config.imported_settings import MOST, ImportedSettings
from filterd.errors import ConfigError
from filterd.i18n import refused, say
from filterd.paths import open_plain

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

_REASON = "Imported from Pi-hole"
MOST_OCTETS = 64 << 20
"""Of a backup, and of each part of it; a database by itself is not read whole."""
_MOST_MEMBERS = 200
_SQLITE = b"SQLite format 3\0"
_MOST_STEPS, _STEP = 2_000, 10_000
"""Instructions of SQLite: some seconds."""
_DAMAGED = (
    EOFError,
    RecursionError,
    RuntimeError,
    ValueError,
    zlib.error,
    tarfile.TarError,
    zipfile.BadZipFile,
    sqlite3.Error,
)
_DOMAINS = {
    "whitelist.exact.json": (True, True),
    "blacklist.exact.json": (False, True),
    "whitelist.regex.json": (True, False),
    "blacklist.regex.json": (False, False),
}
"""Whether the names of a file were allowed, and whether they are names and not patterns."""


def read_pihole(path: Path) -> ImportedSettings:
    """Read the settings of a Pi-hole.

    Raises:
        ConfigError: the file cannot be read, or is none of a Pi-hole.
    """
    found, told = ImportedSettings(_REASON), str(path)
    hint = say("give the file that Pi-hole's teleporter exports")
    try:
        with open_plain(path) as file:
            content = file.read(MOST_OCTETS + 1)
        if content.startswith(_SQLITE):
            _take_database(found, f"{path.absolute().as_uri()}?mode=ro&immutable=1")
            return found
        for name, part in _parts(path.name, _bounded(content)):
            _take_part(found, name, part)
    except OSError as error:
        raise ConfigError(say("cannot be read: {why}", why=refused(error)), path=told) from error
    except _DAMAGED as error:
        raise ConfigError(say("this is no file of a Pi-hole"), path=told, hint=hint) from error
    return found


def _parts(name: str, content: bytes) -> Iterator[tuple[str, bytes]]:
    """Yield the parts of a backup with their names, or the one file that it is."""
    if content.startswith(b"PK"):
        if not zip_directory.is_small(content):
            raise ValueError("it has more files than a backup")
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            for one in archive.infolist()[:_MOST_MEMBERS]:
                with archive.open(one) as member:
                    yield one.filename, _bounded(member.read(MOST_OCTETS + 1))
    elif content.startswith(b"\x1f\x8b"):
        with gzip.GzipFile(fileobj=io.BytesIO(content)) as raw:
            whole = io.BytesIO(_bounded(raw.read(MOST_OCTETS + 1)))
        with tarfile.open(fileobj=whole, mode="r:") as archive:
            for entry in islice(archive, _MOST_MEMBERS):
                part = archive.extractfile(entry) if entry.isreg() else None
                if part is not None:
                    yield entry.name, part.read()
    else:
        yield name, content


def _bounded(part: bytes) -> bytes:
    if len(part) > MOST_OCTETS:
        raise ValueError("it unpacks to more than a backup has")
    return part


def _take_part(found: ImportedSettings, path: str, part: bytes) -> None:
    name = path.rpartition("/")[2]
    if name in _DOMAINS:
        allow, exact = _DOMAINS[name]
        for one in _rows(part):
            _take_domain(found, one, allow=allow, exact=exact)
    elif name == "adlist.json":
        for one in _rows(part):
            _take_list(found, one)
    elif name == "gravity.db":
        _take_database(found, part)
    elif name == "pihole.toml":
        _take_toml(found, tomllib.loads(part.decode()))
    else:
        _take_lines(found, name, _lines(part))


def _take_lines(found: ImportedSettings, name: str, lines: Iterator[str]) -> None:
    """Take the lines of a text, of which the name tells what they are."""
    for line in lines:
        if name == "custom.list":
            _take_host(found, line)
        elif name.endswith("custom-cname.conf"):
            _take_alias(found, line.removeprefix("cname="))
        elif name.endswith((".list", ".txt")) and line.startswith(("http://", "https://")):
            found.take_list(line, _format_of(line))


def _take_database(found: ImportedSettings, database: bytes | str) -> None:
    """Take what a database has, given as its octets or as its address."""
    steps = iter(range(_MOST_STEPS))
    address = database if isinstance(database, str) else ":memory:"
    with closing(sqlite3.connect(address, uri=True)) as connection:
        if isinstance(database, bytes):
            connection.deserialize(database)
        connection.execute("PRAGMA trusted_schema = OFF")
        connection.set_progress_handler(lambda: next(steps, None) is None, _STEP)
        connection.row_factory = sqlite3.Row
        for one in _query(connection, "SELECT * FROM adlist LIMIT ?"):
            _take_list(found, one)
        for one in _query(connection, "SELECT * FROM domainlist LIMIT ?"):
            kind = one.get("type")
            if kind in (0, 1, 2, 3):
                _take_domain(found, one, allow=kind % 2 == 0, exact=kind < 2)


def _query(connection: sqlite3.Connection, query: str) -> Iterator[dict[str, Any]]:
    for row in connection.execute(query, (2 * MOST,)):
        yield dict(zip(row.keys(), row, strict=True))


def _take_list(found: ImportedSettings, one: dict[str, Any]) -> None:
    address = str(one.get("address", ""))
    if one.get("type") == 1:
        found.leave(address, say("a list of allowed names cannot be followed"))
    else:
        found.take_list(address, _format_of(address), enabled=bool(one.get("enabled", 1)))


def _take_domain(found: ImportedSettings, one: dict[str, Any], *, allow: bool, exact: bool) -> None:
    domain = one.get("domain", "")
    if not one.get("enabled", 1):
        found.leave(domain, say("it was switched off there"))
    elif exact:
        found.take_name(domain, allow=allow, why=one.get("comment"))
    else:
        found.take_pattern(domain, allow=allow, why=one.get("comment"))


def _take_toml(found: ImportedSettings, settings: dict[str, Any]) -> None:
    dns = settings.get("dns")
    dns = dns if isinstance(dns, dict) else {}
    for key, take in (("hosts", _take_host), ("cnameRecords", _take_alias)):
        lines = dns.get(key)
        for line in lines[: 2 * MOST] if isinstance(lines, list) else ():
            take(found, str(line))


def _take_host(found: ImportedSettings, line: str) -> None:
    address, *hosts = line.partition("#")[0].split()[:20] or [""]
    for host in hosts:
        found.take_record(host, address)


def _take_alias(found: ImportedSettings, line: str) -> None:
    *aliases, target = line.split(",")[:20]
    if target.strip().isdecimal():  # the TTL
        *aliases, target = aliases or [""]
    for alias in aliases:
        found.take_record(alias, target)


def _rows(part: bytes) -> Iterator[dict[str, Any]]:
    rows = json.loads(part)
    return (
        one for one in (rows if isinstance(rows, list) else ())[: 2 * MOST] if isinstance(one, dict)
    )


def _lines(part: bytes) -> Iterator[str]:
    lines = part.decode("utf-8", "replace").splitlines()[: 2 * MOST]
    return (line.strip() for line in lines if line.strip() and not line.startswith("#"))


def _format_of(address: str) -> str:
    """Return the format that an address suggests.

    Most lists for a Pi-hole are hosts files.
    """
    text = address.lower()
    for word, found in (("adblock", "adblock"), ("wildcard", "wildcard"), ("domain", "domains")):
        if word in text:
            return found
    return "hosts"
