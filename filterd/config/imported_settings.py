# SPDX-License-Identifier: Apache-2.0
"""Convert the settings of another DNS filter to pieces of ``site.yaml``.

Pure. The pieces say the same as those settings, which ``pihole_backup`` and
``adguard_settings`` read. Nothing is taken over silently: what has no counterpart, or is
not valid here, stands in ``not_taken`` with the reason.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from ipaddress import ip_address
from typing import TYPE_CHECKING, Any

from filterd import field_checks
from filterd.config.local_zones import RecordError, parse_record
from filterd.documents import dump
from filterd.errors import ChangeError
from filterd.i18n import Sentence, say
from filterd.lists.catalog import shipped_sources
from filterd.lists.public_suffix import has_strangers_beneath
from filterd.wire import name as names

if TYPE_CHECKING:
    from collections.abc import Iterable

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
            told = f"{self.reason}: {printable}" if printable else self.reason
            self.exceptions.append({"allow" if allow else "block": text, "reason": told})

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
    return {address: one.id for one in shipped_sources() for address in (one.address, *one.mirrors)}
