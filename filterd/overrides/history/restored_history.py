# SPDX-License-Identifier: Apache-2.0
"""Bring the overrides of a backup back, with its history. Pure.

A history is never shortened. Where the backup's history is a beginning of the present one,
one row is added, which sets the overrides back. Else the backup's history takes the place of
the present one, which the caller keeps aside, and that row follows it. The row has the number
and hash of the last change before it, so the two ends are known.

What concerns a person and was removed after the backup was made stays removed: the name of a
device, a device of a room, an exception for one client, a class on loan, an account and its
tokens. The rows since then say what was removed (``Deletions``). Where these rows are not in the
history that follows, the new row has digests of it, under a salt of their own: a later restore
compares with them, and a reader learns nothing from them.
"""

from __future__ import annotations

import hashlib
import json
from dataclasses import field, replace
from typing import TYPE_CHECKING, Any, NamedTuple
from zoneinfo import ZoneInfo

from filterd.base.errors import ChangeError, StoreError
from filterd.base.state_file import ADDED
from filterd.base.value_class import frozen
from filterd.overrides.changes.effects import THINGS, ChangeEffect, has_ended, key_of
from filterd.overrides.descriptions import Describer
from filterd.overrides.history.history_chain import ACCOUNT, FROM_BACKUP, HistoryRow, replay
from filterd.policy import field_checks
from filterd.policy.log_levels import LogLevel
from filterd.policy.model import Audience
from filterd.policy.temporary_rules import Overrides, RoomDevices
from filterd.texts.i18n import Texts, say
from filterd.texts.rows import SchoolClock

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

_ENDINGS = {"disabled": "account", "token-revoked": "token", "device-revoked": "enrolled"}
"""Changes of accounts by which something ends, and the kind of what ends."""
_BEGINNINGS = {"added": "account", "enabled": "account", "recovered": "account"}


@frozen
class BackupOrigin:
    """The backup that a restore takes, and the restore itself.

    Attributes:
        restore: a random id; the same restore, done again after a power cut, adds no second row.
        made_at: Unix time.
        device: the fingerprint of the key of the gateway that made it; empty for none.
    """

    restore: str
    made_at: float
    device: str = field(default="", metadata={ADDED: True})


@frozen
class Deletions:
    """Things of persons that were removed after a backup was made.

    Attributes:
        marks: what they were; see ``personal``.
        sealed: digests of others, by their salt.
    """

    marks: frozenset[str] = frozenset()
    sealed: tuple[tuple[str, frozenset[str]], ...] = ()

    @classmethod
    def since(cls, rows: Iterable[HistoryRow], present: Overrides) -> Deletions:
        """Return what rows removed and is not there at present.

        Args:
            rows: those after the last one that the backup has too.
            present: the overrides after them.
        """
        marks, sealed = set[str](), list[tuple[str, frozenset[str]]]()
        for row in rows:
            payload = json.loads(row.payload)
            if row.kind == FROM_BACKUP:  # what a restore itself removed, another may bring back
                sealed += [(one["salt"], frozenset(one["digests"])) for one in payload["gone"]]
                continue
            effect = row.effect()
            marks |= {*personal(effect.before)} - {*personal(effect.after)}
            if row.kind == ACCOUNT:
                what, thing = payload["what"], (payload["account"], payload.get("label", ""))
                if what in _ENDINGS:
                    marks.add(_mark(_ENDINGS[what], *thing))
                elif what in _BEGINNINGS:
                    marks.discard(_mark(_BEGINNINGS[what], *thing))
        return cls(frozenset(marks - {*personal(present)}), tuple(sealed))

    def has(self, kind: str, *parts: str) -> bool:
        """Return whether a thing is among them."""
        mark = _mark(kind, *parts)
        return mark in self.marks or any(_digest(salt, mark) in all_ for salt, all_ in self.sealed)

    def to_plain(self, salt: str) -> list[dict[str, Any]]:
        """Return all of them as digests, the marks under a salt."""
        own = frozenset(_digest(salt, mark) for mark in self.marks)
        groups = (*self.sealed, (salt, own)) if own else self.sealed
        return [{"salt": salt, "digests": sorted(digests)} for salt, digests in groups]


class RestoredHistory(NamedTuple):
    """The result of a restore, before it is written.

    Attributes:
        adopts: the rows of the backup take the place of the present ones.
        row: the row of the restore, behind those.
        left: rows that are in the present history only.
        kept_out: how many things of the backup stay removed.
    """

    adopts: bool
    row: HistoryRow
    left: tuple[HistoryRow, ...]
    kept_out: int


def personal(overrides: Overrides) -> Iterator[str]:
    """Yield a mark of each thing that concerns a person, without the ids of changes."""
    for name in overrides.device_names:
        yield _mark("device-name", name.mac, name.name)
    for room in overrides.devices:
        yield from (_mark("device", mac) for mac in room.macs)
    for exception in overrides.exceptions:
        if exception.audience is Audience.CLIENT:
            yield _mark("exception", exception.kind, exception.target, exception.whom)
    for loan in overrides.loans:
        yield _mark("loan", loan.class_id, loan.to)


def deletions(
    present: Sequence[HistoryRow], backup: Iterable[HistoryRow], overrides: Overrides
) -> Deletions:
    """Return what was removed since two histories parted; see ``Deletions.since``."""
    return Deletions.since(_after_common(present, backup), overrides)


def restored(
    present: Sequence[HistoryRow],
    overrides: Overrides,
    backup: Sequence[HistoryRow],
    origin: BackupOrigin,
    *,
    author: str,
    at: float,
) -> RestoredHistory:
    """Return how the overrides of a backup come back.

    Args:
        present: all changes of this gateway.
        overrides: after them.
        backup: all changes in the backup, checked (``read``).
        origin: of the backup.
        author: of the restore.
        at: Unix time.
    """
    left = tuple(_after_common(present, backup))
    adopts = bool(backup) and backup[-1].hash not in {one.hash for one in present}
    gone = Deletions.since(left, overrides)
    base, last = replay(backup), (backup if adopts else present)[-1:]
    wanted, kept_out = _wanted(base.overrides, overrides, gone, at)
    there = base.overrides if adopts else overrides
    payload = {
        "restore": origin.restore,
        "made_at": origin.made_at,
        "device": origin.device,
        "head": present[-1].hash if present else "",
        "changes": overrides.number,
        "gone": gone.to_plain(origin.restore) if adopts else [],
    }
    row = HistoryRow.of(
        there.number + 1,
        at,
        author,
        FROM_BACKUP,
        payload,
        "",
        difference(there, wanted),
        last[0].hash if last else replay(()).last_hash,
    )
    return RestoredHistory(adopts, row, left, kept_out)


def done_before(present: Iterable[HistoryRow], origin: BackupOrigin) -> HistoryRow | None:
    """Return the row of the same restore, if it was interrupted after it."""
    own = (row for row in present if row.kind == FROM_BACKUP)
    return next((row for row in own if json.loads(row.payload)["restore"] == origin.restore), None)


def dump(rows: Iterable[HistoryRow]) -> bytes:
    """Return rows as lines of JSON: a list of the values of each, in their order."""
    return "".join(f"{json.dumps(list(row), ensure_ascii=False)}\n" for row in rows).encode()


def read(content: bytes) -> tuple[HistoryRow, ...]:
    """Return rows from lines of JSON, and check their chain.

    Raises:
        StoreError: they are no whole history.
    """
    describer = Describer(Texts("en"), SchoolClock(ZoneInfo("UTC"), 0.0))
    try:
        rows = tuple(map(_row, content.decode().split("\n")[:-1]))
        for row in rows:  # what cannot be described or searched would end later commands
            describer.row(row.to_plain())
            Deletions.since((row,), Overrides())
            done_before((row,), BackupOrigin("", 0.0))
            row.undone()
            for setting in row.effect().after.log_settings:
                LogLevel(setting.level)
    except _MALFORMED as error:
        raise StoreError(say("the history in the backup cannot be read")) from error
    done = replay(rows)
    if done.first_bad is not None:
        raise StoreError(
            say(
                "the history in the backup is altered: change {number}: {problem}",
                number=done.first_bad,
                problem=done.problem,
            )
        )
    return rows


_MALFORMED = (
    ChangeError,
    ValueError,
    TypeError,
    KeyError,
    AttributeError,
    RecursionError,
    OverflowError,
    OSError,  # of a time that the machine's calendar does not have
)
_HIGHEST = 1 << 53


def _row(line: str) -> HistoryRow:
    number, at, *texts = values = json.loads(line, parse_constant=_refuse)
    if type(number) is not int or not 0 < number < _HIGHEST:
        raise TypeError
    field_checks.time(at)  # one that no calendar has would end the list of changes
    for text in texts:
        text.encode()  # no number, and nothing that SQLite does not take
    return HistoryRow._make(values)


def _refuse(constant: str) -> float:
    raise ValueError(constant)


def _after_common(
    present: Sequence[HistoryRow], backup: Iterable[HistoryRow]
) -> Iterator[HistoryRow]:
    """Yield the present rows behind the last one that the backup has too."""
    known = {row.hash for row in backup}
    return (row for row in present if row.hash not in known)


def _wanted(
    backup: Overrides, present: Overrides, gone: Deletions, at: float
) -> tuple[Overrides, int]:
    """Return the overrides that come back, and how many things of the backup do not."""
    names = [
        name for name in backup.device_names if not gone.has("device-name", name.mac, name.name)
    ]
    kept = {name.mac for name in names}
    instead = {name.mac for name in backup.device_names} - kept  # a name that was mended stays so
    names += [name for name in present.device_names if name.mac in instead]
    exceptions = tuple(
        exception
        for exception in backup.exceptions
        if exception.audience is not Audience.CLIENT
        or not gone.has("exception", exception.kind, exception.target, exception.whom)
    )
    loans = tuple(loan for loan in backup.loans if not gone.has("loan", loan.class_id, loan.to))
    devices = {mac for device in backup.devices for mac in device.macs if gone.has("device", mac)}
    kept_out = len(instead) + len(devices) + len(backup.exceptions) - len(exceptions)
    kept_out += len(backup.loans) - len(loans)
    wanted = replace(
        backup,
        device_names=tuple(sorted(names, key=key_of)),
        devices=_rooms(backup, present, devices),
        exceptions=exceptions,
        loans=loans,
        log_settings=tuple(
            setting
            for setting in backup.log_settings  # `full` is the decision of two persons, each time
            if setting.level != LogLevel.FULL or setting in present.log_settings
        ),
    )
    lasting: dict[str, Any] = {
        kind: tuple(one for one in getattr(wanted, kind) if not has_ended(one, at))
        for kind in THINGS
    }
    return replace(wanted, **lasting), kept_out


def _rooms(backup: Overrides, present: Overrides, gone: set[str]) -> tuple[RoomDevices, ...]:
    """Return the devices of rooms that come back.

    A room stays as it is where a device was taken out of it since, or where the backup leaves
    its devices to the files of the site: they may name the device that was taken out.
    """
    come = [device for device in backup.devices if gone.isdisjoint(device.macs)]
    rooms = {one.room for one in come}
    macs = {mac for one in come for mac in one.macs}
    stay = (
        replace(device, macs=tuple(mac for mac in device.macs if mac not in macs))
        for device in present.devices
        if device.room not in rooms
    )
    return tuple(sorted((*come, *stay), key=key_of))


def difference(there: Overrides, wanted: Overrides) -> ChangeEffect:
    """Return the effect that makes the wanted overrides of those that are there."""
    before, after = dict[str, Any](), dict[str, Any]()
    for kind in THINGS:
        old: Mapping[Any, Any] = {key_of(one): one for one in getattr(there, kind)}
        new: Mapping[Any, Any] = {key_of(one): one for one in getattr(wanted, kind)}
        before[kind] = tuple(one for key, one in old.items() if new.get(key) != one)
        after[kind] = tuple(one for key, one in new.items() if old.get(key) != one)
    return ChangeEffect(Overrides(**before), Overrides(**after))


def _mark(*parts: str) -> str:
    return "\n".join(parts)


def _digest(salt: str, mark: str) -> str:
    return hashlib.sha256(f"{salt}\n{mark}".encode("utf-8", "surrogatepass")).hexdigest()[:32]
