# SPDX-License-Identifier: Apache-2.0
"""Convert the settings of another DNS filter to pieces of ``site.yaml``.

Read are ``AdGuardHome.yaml`` (filters, rules of the user, rewrites), and of a Pi-hole its
teleporter file (zip or tar.gz), its database, or a list of addresses. Nothing is taken over
silently: what has no counterpart, or is not valid here, stands in ``not_taken`` with the
reason.

These files may be hostile: each part is read into memory up to a bound, nothing is written,
and a query of a database that takes too long is broken off. What a part is parsed to has no bound
of its own, and root runs the command: ``cli.box.import_settings`` has it done in a bounded child.
"""

from __future__ import annotations

import io
import json
import re
import sqlite3
import tomllib
from contextlib import closing
from dataclasses import dataclass, field
from ipaddress import ip_address
from itertools import islice
from typing import TYPE_CHECKING, Any

from filterd.base.archives import DAMAGED, opened_tar_gz, opened_zip
from filterd.base.errors import ChangeError, ConfigError
from filterd.base.paths import open_plain
from filterd.config.local_zones import RecordError, parse_record
from filterd.documents import dump, load
from filterd.lists.catalogs.catalog import shipped_sources
from filterd.lists.public_suffix import has_strangers_beneath
from filterd.policy import field_checks
from filterd.texts.i18n import Sentence, refused, say
from filterd.texts.i18n import from_plain as sentence_from_plain
from filterd.texts.i18n import to_plain as plain_sentence
from filterd.wire import name as names

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping
    from pathlib import Path

MOST = 5_000
"""Of lists, of names and of records each: more than people write by hand."""
_MOST_SHOWN = 200
_LOCAL = frozenset(("arpa", "home", "internal", "lan", "local", "localdomain", "localnet"))
"""Last labels of names that are a network's own; the zone of such a name is its parent."""
_suffix_pattern = re.compile(
    r"(?:\(\\\.\|\^\)|\(\^\|\\\.\)|\^\(\.[+*]\\\.\)\?)"
    r"(?P<name>[a-z0-9-]+(?:\\\.[a-z0-9-]+)+)\$",
    re.ASCII,
).fullmatch
_UNKNOWN_CATEGORY = "ads-trackers"


@dataclass(slots=True)
class ImportedSettings:
    """What was found in the other filter's files.

    Attributes:
        follow: entries of ``follow:``; ``guessed`` are the addresses whose category and format
            are a guess.
        exceptions: entries of ``exceptions:``.
        zones: records by local zone.
        not_taken: what was left out, and why.
        left_out: how many more than are in ``not_taken``.
    """

    reason: str
    follow: list[Any] = field(default_factory=list)
    guessed: list[str] = field(default_factory=list)
    exceptions: list[dict[str, Any]] = field(default_factory=list)
    zones: dict[str, list[str]] = field(default_factory=dict)
    not_taken: list[tuple[str, Sentence]] = field(default_factory=list)
    left_out: int = 0
    _seen: set[tuple[str, str]] = field(default_factory=set)

    def to_plain(self) -> dict[str, Any]:
        """Return it as plain data, for another process."""
        kept = ("reason", "follow", "guessed", "exceptions", "zones", "left_out")
        not_taken = [[what, plain_sentence(why)] for what, why in self.not_taken]
        return {**{key: getattr(self, key) for key in kept}, "not_taken": not_taken}

    @classmethod
    def from_plain(cls, plain: Mapping[str, Any]) -> ImportedSettings:
        """Return what ``to_plain`` has made plain data."""
        not_taken = [(what, sentence_from_plain(why)) for what, why in plain["not_taken"]]
        return cls(**{**plain, "not_taken": not_taken})

    def leave(self, what: object, why: Sentence) -> None:
        """Note that something is not taken."""
        if len(self.not_taken) >= _MOST_SHOWN:
            self.left_out += 1
            return
        text = "".join(one if one.isprintable() else "?" for one in str(what))
        self.not_taken.append((text if len(text) <= 120 else f"{text[:117]}...", why))

    def take_list(self, address: object, list_format: str, *, enabled: bool = True) -> None:
        """Take the address of a list of names to block."""
        text = str(address).strip()
        if not text or not self._is_new("list", text):
            return
        if not enabled:
            self.leave(text, say("it was switched off there"))
        elif (known := _catalogued().get(text)) is not None:
            if self._is_new("catalogued", known):
                self.follow.append(known)
        elif not text.startswith("https://") or not text.isprintable() or " " in text:
            self.leave(text, say("a list is followed by https only"))
        elif len(self.follow) >= MOST:
            self.leave(text, say("there are too many"))
        else:
            entry = {"url": text, "category": _UNKNOWN_CATEGORY, "format": list_format}
            self.follow.append(entry)
            self.guessed.append(text)

    def take_name(self, name: object, *, allow: bool, why: object = "") -> None:
        """Take a name that was allowed or blocked there."""
        text = str(name).strip().rstrip(".").lower()
        try:
            text = field_checks.name(text)
        except ChangeError as error:
            self.leave(name, error.reason)
            return
        if not self._is_new("allow" if allow else "block", text):
            return
        if has_strangers_beneath(names.from_text(text), companies=allow):
            self.leave(text, say("anyone can register names under it"))
        elif len(self.exceptions) >= MOST:
            self.leave(text, say("there are too many"))
        else:
            reason = " ".join(str(why or "").split())
            printable = "".join(one for one in reason if one.isprintable())[:200]
            why = f"{self.reason}: {printable}" if printable else self.reason
            self.exceptions.append({"allow" if allow else "block": text, "reason": why})

    def take_pattern(self, pattern: object, *, allow: bool, why: object = "") -> None:
        """Take a regular expression that means a name and everything beneath it."""
        found = _suffix_pattern(str(pattern).strip().lower())
        if found is None:
            self.leave(pattern, say("a regular expression has no counterpart"))
        else:
            self.take_name(found["name"].replace("\\.", "."), allow=allow, why=why)

    def take_record(self, name: object, answer: object) -> None:
        """Take a name of the network's own: its address, or the name that it stands for."""
        owner, data = (str(one).strip().rstrip(".").lower() for one in (name, answer))
        try:
            owner = field_checks.name(owner)
            rtype, value = _data(data)
        except ChangeError as error:
            self.leave(f"{name} {answer}", error.reason)
            return
        last = owner.rpartition(".")[2]
        zone = owner.partition(".")[2] if last in _LOCAL and "." in owner else owner
        line = f"{owner}. {rtype} {value}"
        try:
            parse_record(line, names.from_text(zone))
        except RecordError as error:
            self.leave(line, error.sentence)
            return
        if rtype == "CNAME" and zone == owner:
            self.leave(line, say("an alias cannot be the whole of a local zone"))
        elif sum(map(len, self.zones.values())) >= MOST:
            self.leave(line, say("there are too many"))
        elif self._is_new("record", line):
            self.zones.setdefault(zone, []).append(line)

    def to_site(self) -> dict[str, Any]:
        """Return the pieces of ``site.yaml``, without those that would be empty."""
        zones = [{"name": zone, "records": lines} for zone, lines in sorted(self._outermost())]
        pieces = {"follow": self.follow, "exceptions": self.exceptions, "local_zones": zones}
        return {key: value for key, value in pieces.items() if value}

    def to_yaml(self) -> str:
        """Return these pieces as text."""
        pieces = self.to_site()
        return dump(pieces).decode() if pieces else ""

    def _outermost(self) -> Iterable[tuple[str, list[str]]]:
        """Return the zones, with the records of those within another one."""
        merged: dict[str, list[str]] = {}
        for zone in sorted(self.zones, key=lambda one: one.count(".")):
            above = next((one for one in merged if zone.endswith(f".{one}")), zone)
            merged.setdefault(above, []).extend(self.zones[zone])
        return merged.items()

    def _is_new(self, kind: str, text: str) -> bool:
        is_new = (kind, text) not in self._seen
        self._seen.add((kind, text))
        return is_new


def _data(text: str) -> tuple[str, str]:
    """Return type and data of a record.

    Raises:
        ChangeError: it is neither an address nor a name.
    """
    try:
        address = ip_address(text)
    except ValueError:
        return "CNAME", f"{field_checks.name(text)}."
    return ("A" if address.version == 4 else "AAAA"), str(address)


def _catalogued() -> dict[str, str]:
    """Return the ids of public lists by their addresses."""
    return {
        address: source.id
        for source in shipped_sources()
        for address in (source.address, *source.mirrors)
    }


_rule = re.compile(
    r"(?P<allow>@@)?\|\|(?P<name>[^\s/^|*$]+)\^(?:\|)?(?:\$important)?", re.ASCII
).fullmatch
_hosts = re.compile(r"(?:0\.0\.0\.0|127\.0\.0\.1|::|::1)\s+(?P<name>\S+)", re.ASCII).fullmatch


def read_adguard(path: Path) -> ImportedSettings:
    """Read the settings of AdGuard Home.

    Raises:
        ConfigError: it cannot be read, or is no YAML.
    """
    settings = _mapping(load(path).data)
    found = ImportedSettings("Imported from AdGuard Home")
    for entry in _entries(settings, "filters"):
        found.take_list(entry.get("url", ""), "adblock", enabled=entry.get("enabled") is not False)
    for entry in _entries(settings, "whitelist_filters"):
        found.leave(entry.get("url", ""), say("a list of allowed names cannot be followed"))
    for rule in _list(settings.get("user_rules")):
        _take_rule(found, str(rule).strip())
    filtering = _mapping(settings.get("filtering"))
    for part in (filtering, _mapping(settings.get("dns"))):  # of releases before 0.107.37
        for entry in _entries(part, "rewrites"):
            _take_rewrite(found, entry)
        _leave_services(found, part)
    for entry in _entries(_mapping(settings.get("clients")), "persistent"):
        found.leave(entry.get("name", ""), say("a client: write its network into `networks`"))
    return found


def _take_rule(found: ImportedSettings, rule: str) -> None:
    if not rule or rule.startswith(("!", "#")):
        return
    if match := _rule(rule):
        found.take_name(match["name"], allow=bool(match["allow"]))
    elif match := _hosts(rule):
        found.take_name(match["name"], allow=False)
    else:
        found.leave(rule, say("a rule of this form has no counterpart"))


def _take_rewrite(found: ImportedSettings, one: dict[str, Any]) -> None:
    domain, answer = str(one.get("domain", "")), str(one.get("answer", ""))
    if one.get("enabled") is False:
        found.leave(domain, say("it was switched off there"))
    elif "*" in domain or answer in ("A", "AAAA"):
        found.leave(f"{domain} {answer}", say("a rewrite of this form has no counterpart"))
    else:
        found.take_record(domain, answer)


def _leave_services(found: ImportedSettings, part: dict[str, Any]) -> None:
    blocked = part.get("blocked_services")
    ids = _mapping(blocked).get("ids") if isinstance(blocked, dict) else blocked
    for one in _list(ids):
        why = say("a blocked service: filterd policy set --grade GRADE --block-service ID")
        found.leave(one, why)


def _mapping(value: Any) -> dict[str, Any]:
    return value if isinstance(value, dict) else {}


def _list(value: Any) -> list[Any]:
    return value[: 10 * MOST] if isinstance(value, list) else []


def _entries(part: dict[str, Any], key: str) -> Iterator[dict[str, Any]]:
    return (one for one in _list(part.get(key)) if isinstance(one, dict))


MOST_OCTETS = 64 << 20
"""Of a backup, and of each part of it; a database by itself is not read whole."""
_MOST_MEMBERS = 200
_SQLITE = b"SQLite format 3\0"
_MOST_STEPS, _STEP = 2_000, 10_000
"""Instructions of SQLite: some seconds."""
_DAMAGED = (*DAMAGED, sqlite3.Error)
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
    found = ImportedSettings("Imported from Pi-hole")
    hint = say("give the file that Pi-hole's teleporter exports")
    try:
        with open_plain(path) as file:
            content = file.read(MOST_OCTETS + 1)
        if content.startswith(_SQLITE):
            _take_database(found, f"{path.absolute().as_uri()}?mode=ro&immutable=1")
            return found
        for name, part in _parts(path.name, _bounded(content)):
            _take_part(found, name, part)
    except _DAMAGED as error:
        raise ConfigError(
            say("this is not a file of a Pi-hole"), path=str(path), hint=hint
        ) from error
    except OSError as error:
        raise ConfigError(
            say("cannot be read: {why}", why=refused(error)), path=str(path)
        ) from error
    return found


def _parts(name: str, content: bytes) -> Iterator[tuple[str, bytes]]:
    """Yield the parts of a backup with their names, or the one file that it is."""
    if content.startswith(b"PK"):
        with opened_zip(io.BytesIO(content)) as archive:
            for one in archive.infolist()[:_MOST_MEMBERS]:
                with archive.open(one) as member:
                    yield one.filename, _bounded(member.read(MOST_OCTETS + 1))
    elif content.startswith(b"\x1f\x8b"):
        with opened_tar_gz(io.BytesIO(content), MOST_OCTETS) as archive:
            for entry in islice(archive, _MOST_MEMBERS):
                part = archive.extractfile(entry) if entry.isreg() else None
                if part is not None:
                    # Of a sparse file the archive has less than its size.
                    yield entry.name, _bounded(part.read(MOST_OCTETS + 1))
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
        for row in _rows(part):
            _take_domain(found, row, allow=allow, exact=exact)
    elif name == "adlist.json":
        for row in _rows(part):
            _take_list(found, row)
    elif name == "gravity.db":
        _take_database(found, part)
    elif name == "pihole.toml":
        _take_toml(found, tomllib.loads(part.decode()))
    else:
        _take_lines(found, name, _lines(part))


def _take_lines(found: ImportedSettings, name: str, lines: Iterator[str]) -> None:
    """Take the lines of a text, by the name of its file."""
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
