# SPDX-License-Identifier: Apache-2.0
"""Keep small files of an appliance: its id, last run, latest time, followed lists.

The id is random, made once, and sent nowhere. It gives the appliance its place among all
others (``schedule.place_of``) and its ring. A damaged file is made anew.

``TimeFloor`` is for a board whose clock starts in 1970. A clock that
jumps far ahead may have been set to make all signatures look expired; its time is kept only
once something was signed at about that time.

``FollowFile`` has the public lists that commands follow, and entries of lists to leave out.
``follow`` in ``site.yaml`` is the written form; a person's YAML is not rewritten, so what
commands set is kept here. The module imports little: the daemon's status reads the files.
"""

from __future__ import annotations

import json
import secrets
import zlib
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from filterd.base.paths import read_plain, write_atomically
from filterd.base.state_file import FileFormat
from filterd.base.value_class import frozen
from filterd.lists.hostname import key_from_text
from filterd.version import RELEASED_AT

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

    from filterd.lists.catalogs.catalog import PublicSource
    from filterd.lists.list_merge import Exclusions


ID_OCTETS = 16
_MOST_OCTETS = 1_000

_FARTHEST_S = 366 * 86_400.0
_STEP_S = 3_600.0
"""No finer: a card wears out by being written to."""
_LATEST = 1e11


@frozen
class _LastRun:
    done_at: float


_RUN_FORMAT = FileFormat(
    _LastRun, magic=b"filterd feed-run ", most_octets=_MOST_OCTETS, legacy=json.loads
)


@frozen
class ApplianceFolder:
    """The files below ``/var/lib/filterd/feed``.

    One process at a time works with them.
    """

    folder: Path

    @property
    def id_path(self) -> Path:
        """The id, in hex. An image of a card for many schools must not have it."""
        return self.folder / "appliance-id"

    @property
    def last_run_path(self) -> Path:
        """The time at which a run last ended with an answer."""
        return self.folder / "last-run.json"

    def appliance_id(self) -> bytes:
        """Return the id; make it if there is none.

        Raises:
            StoreError: it cannot be kept.
        """
        try:
            known = bytes.fromhex(read_plain(self.id_path, _MOST_OCTETS).decode("ascii"))
        except (OSError, ValueError):
            known = b""
        if len(known) == ID_OCTETS:
            return known
        made = secrets.token_bytes(ID_OCTETS)
        write_atomically(self.id_path, made.hex().encode("ascii"), mode=0o600)
        return made

    def done_at(self) -> float | None:
        """Return the Unix time at which a run last ended with an answer; None if unknown."""
        last = _RUN_FORMAT.read(self.last_run_path)
        return None if last is None else last.done_at

    def remember(self, done_at: float) -> None:
        """Keep when a run ended.

        Raises:
            StoreError: it cannot be kept.
        """
        _RUN_FORMAT.save(self.last_run_path, _LastRun(done_at))


@frozen
class _Believed:
    at: float


def _of_old(content: bytes) -> Any:
    """Read the form of releases up to 0.1: the seconds, and their CRC-32."""
    digits, _, stated = content.partition(b" ")
    if stated != b"%08x" % zlib.crc32(digits):
        raise ValueError
    return {"at": float(digits)}


class _TimeFormat(FileFormat[_Believed]):
    """The file's form: releases up to 0.1, put back, must not believe an earlier time."""

    def dump(self, value: _Believed) -> bytes:
        """Return the content of a file as those releases wrote it."""
        digits = b"%d" % value.at
        return b"%s %08x" % (digits, zlib.crc32(digits))


_TIME_FORMAT = _TimeFormat(
    _Believed, magic=b"filterd feed-time ", most_octets=1_000, legacy=_of_old
)


class TimeFloor:
    """The latest time that was believed, in the feed's state folder."""

    def __init__(self, folder: Path) -> None:
        self._path = folder / "time-floor"

    def read(self) -> float:
        """Return the earliest possible Unix time: the release, where no more is known."""
        kept = _TIME_FORMAT.read(self._path) or _Believed(0.0)
        return max(float(RELEASED_AT), kept.at if kept.at < _LATEST else 0.0)

    def note(self, now: float, signed_at: float = 0.0) -> None:
        """Keep the time of the clock if it can be believed.

        Args:
            now: Unix time, by the clock.
            signed_at: when the newest verified publication was signed; 0 for unknown.

        Raises:
            StoreError: it cannot be kept.
        """
        known = self.read()
        if known + _STEP_S < now <= max(known, signed_at) + _FARTHEST_S:
            _TIME_FORMAT.save(self._path, _Believed(float(int(now))))


SOURCES_FOLDER = "sources"
"""Of the last good texts, in the feed's state folder."""
LEFT_OUT_S = 180 * 86_400.0
"""An entry is left out for so long; the same command renews it."""


@frozen
class Wanted:
    """A followed list: the id of a catalogued one, or the address of another."""

    id: str
    url: str = ""
    category: str = ""
    format: str = "domains"
    subtrees: bool = False


@frozen
class LeftOut:
    """An entry that a list has by mistake; Unix times."""

    name: str
    list: str
    reason: str
    at: float
    until: float


@frozen
class FollowState:
    """What commands have set, and what was followed last.

    Attributes:
        by_command: lists that commands follow.
        left_out: entries.
        last: all lists of the last run, for while ``site.yaml`` is wrong.
    """

    by_command: tuple[Wanted, ...] = ()
    left_out: tuple[LeftOut, ...] = ()
    last: tuple[Wanted, ...] = ()

    def exclusions(self, sources: Iterable[PublicSource], now: float) -> Exclusions:
        """Return the keys to leave out, by list.

        The merged list of a category means all of the category.
        """
        found = dict[str, set[bytes]]()
        for source in sources:
            names = source.id, source.category
            mine = {source.id, *(f"{begin}{one}" for begin in ("feed-", "web:") for one in names)}
            for one in self.left_out:
                if one.list in mine and now < one.until:
                    found.setdefault(source.id, set()).add(key_from_text(one.name))
        return found


FOLLOWED = FileFormat(
    FollowState,
    magic=b"filterd followed-lists ",
    words={"Wanted": Wanted, "LeftOut": LeftOut},
    most_octets=1 << 20,
)


class FollowFile:
    """The file of what is followed, in the feed's state folder."""

    def __init__(self, folder: Path) -> None:
        self._path = folder / "followed.state"

    def read(self) -> FollowState:
        """Return it; an empty one where it cannot be read."""
        return FOLLOWED.read(self._path) or FollowState()

    def write(self, state: FollowState) -> None:
        """Keep it.

        Raises:
            StoreError: the disk refused.
        """
        FOLLOWED.save(self._path, state)


def followed_lists(folder: Path) -> tuple[str, ...]:
    """Return the ids of followed lists, by the last run and by commands."""
    state = FollowFile(folder).read()
    return tuple(dict.fromkeys(one.id for one in (*state.last, *state.by_command)))


def missing_lists(folder: Path) -> tuple[str, ...]:
    """Return the ids of followed lists of which no text has ever come."""
    texts = folder / SOURCES_FOLDER
    return tuple(one for one in followed_lists(folder) if not (texts / f"{one}.txt").exists())


def with_command(state: FollowState, *wanted: Wanted) -> FollowState:
    """Return a state in which these lists are followed by command."""
    ids = {one.id for one in wanted}
    others = tuple(one for one in state.by_command if one.id not in ids)
    return replace(state, by_command=(*others, *wanted))


def with_left_out(state: FollowState, out: LeftOut) -> FollowState:
    """Return a state in which an entry is left out; what is over is dropped."""
    others = (
        each
        for each in state.left_out
        if (each.name, each.list) != (out.name, out.list) and each.until > out.at
    )
    return replace(state, left_out=(*others, out))
