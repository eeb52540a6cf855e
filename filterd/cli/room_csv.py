# SPDX-License-Identifier: Apache-2.0
"""CSV files of rooms and MAC addresses, as spreadsheets write them."""

from __future__ import annotations

import codecs
import csv
import io
import re
from collections.abc import Collection, Mapping
from pathlib import Path

from filterd import field_checks
from filterd.errors import ChangeError, ConfigError, ConfigErrors, StoreError
from filterd.i18n import did_you_mean, refused, say
from filterd.paths import open_plain
from filterd.privileges import own_rights

_COLUMNS = ("room", "mac")
_LARGEST = 1 << 20

Devices = dict[str, tuple[str, ...]]
"""The MAC addresses of rooms."""


def dump(devices: Mapping[str, Collection[str]]) -> str:
    """Return rooms and their devices as CSV."""
    text = io.StringIO()
    table = csv.writer(text, lineterminator="\n")
    table.writerow(_COLUMNS)
    table.writerows((room, mac) for room, macs in devices.items() for mac in macs)
    return text.getvalue()


def load(path: Path, rooms: Collection[str]) -> Devices:
    """Read such a file; columns other than ``room`` and ``mac`` are ignored.

    Args:
        path: the file.
        rooms: the ids of all rooms.

    Raises:
        ConfigErrors: all that is wrong, each with its line.
        StoreError: it cannot be read.
    """
    return parse(read_text(path), str(path), rooms)


def parse(text: str, path: str, rooms: Collection[str]) -> Devices:
    """Parse the text of such a file; ``path`` is its name in errors.

    Raises:
        ConfigErrors: all that is wrong, each with its line.
    """
    first, _, rest = text.partition("\n")
    begins_at = 0
    if is_separator(first):
        (first, _, _), text, begins_at = rest.partition("\n"), rest, 1
    between = next((one for one in ";\t" if one in first), ",")
    lines = csv.DictReader(io.StringIO(text), delimiter=between)
    columns = [(name or "").strip().lower() for name in lines.fieldnames or ()]
    if not set(_COLUMNS) <= set(columns):
        hint = say("such as: room,mac")
        raise ConfigError(
            say("the first line does not name the columns room and mac"), path=path, hint=hint
        )
    lines.fieldnames = columns
    found: dict[str, dict[str, None]] = {}
    seen: dict[str, str] = {}
    problems = []
    for line in lines:
        try:
            room, mac = _row(line, rooms)
            if seen.setdefault(mac, room) != room:
                raise ChangeError(
                    say("{mac} is in {room} as well", mac=mac, room=seen[mac]),
                    hint=say("keep one of the two"),
                )
            found.setdefault(room, {})[mac] = None
        except ConfigError as error:
            problems.append(
                ConfigError(
                    error.reason, path=path, line=begins_at + lines.line_num, hint=error.hint
                )
            )
    if problems:
        raise ConfigErrors(problems)
    return {room: tuple(macs) for room, macs in found.items()}


def is_separator(line: str) -> bool:
    """Return whether a line is Excel's separator line: ``sep=;``."""
    return re.fullmatch(r"""["']?sep=.["']?""", line.strip(" \r"), re.IGNORECASE) is not None


def read_text(path: Path) -> str:
    """Return the text of a file that is not large, as ``decoded`` reads it.

    Raises:
        StoreError: it cannot be read.
        ConfigError: it is no text, or too large.
    """
    content = read_octets(path, _LARGEST)
    if len(content) > _LARGEST:
        raise ConfigError(say("the file is too large"), path=str(path), hint=say("at most 1 MiB"))
    return decoded(content, path)


def read_octets(path: Path, most: int) -> bytes:
    """Return the octets of a file that the caller names; of a longer one, one more than ``most``.

    Raises:
        StoreError: it cannot be read.
    """
    try:
        with own_rights(), open_plain(path) as file:
            return file.read(most + 1)
    except OSError as error:
        raise StoreError(
            say("{path}: cannot be read: {why}", path=path, why=refused(error))
        ) from error


def decoded(content: bytes, path: Path) -> str:
    """Return octets as text: UTF-8, or Excel's "Unicode text" (UTF-16).

    Raises:
        ConfigError: they are no text; ``path`` is its name in errors.
    """
    try:
        is_wide = content.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE))
        return content.decode("utf-16" if is_wide else "utf-8-sig")
    except UnicodeDecodeError as error:
        hint = say("save it as UTF-8")
        raise ConfigError(say("the file is not UTF-8 text"), path=str(path), hint=hint) from error


def _row(line: Mapping[str, str | None], rooms: Collection[str]) -> tuple[str, str]:
    room, mac = ((line.get(column) or "").strip() for column in _COLUMNS)
    same = (one for one in rooms if one.casefold() == room.casefold())  # "Lab-a", says Excel
    return known_room(room if room in rooms else next(same, room), rooms), field_checks.mac(mac)


def known_room(room: str, rooms: Collection[str]) -> str:
    """Return the id of a room.

    Raises:
        ConfigError: there is no such room.
    """
    if room not in rooms:
        hint = did_you_mean(room, sorted(rooms)) or say("name networks in site.yaml")
        raise ConfigError(say("'{room}' is not a room", room=room), hint=hint)
    return room
