# SPDX-License-Identifier: Apache-2.0
"""Record lookups of one worker at the levels with names, in batches.

Workers hand lookups over in numbered batches, and the manager writes them. Several batches may
be on their way, so that it writes them in one transaction; each is kept until it is acknowledged.

A lookup that is no row only shows that a device asked for a name that day. So it is handed
over once a day for each name, context and device, and again to a manager that is new and
remembers none.

A worker must load this, so it has no library but the standard one.
"""

from __future__ import annotations

import secrets
from array import array
from collections import deque
from dataclasses import replace
from itertools import count, repeat
from typing import TYPE_CHECKING, Any, NamedTuple, TypeVar

from filterd.base.packet_room import PacketRoom, json_octets
from filterd.base.value_class import frozen
from filterd.policy.model import TIER_OF_GRADE

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

T = TypeVar("T")

LOOKUPS_A_BATCH = 400
"""Lookups of one batch at most: while it packs them a worker answers nothing, for half a
millisecond on a common processor. Of long names and ids fewer fit a packet (``LookupRoom``)."""

WRITE_FROM = 10_000
"""Lookups that are written at once, or all of ``WRITE_EVERY_S``: an SD card wears by writes.

A write changes most pages of the index of names, so a school's day is written by time; this is for
bursts. Written 4,000 at once, a day of a million rows costs a third more."""

WRITE_EVERY_S = 300.0

SLOT_S = 300
"""Seconds of a slot: above ``DISTINCT_FROM`` rows a day, equal lookups of one slot are a row."""

DISTINCT_FROM = 1_500_000
"""Rows of a day beyond which a day file keeps distinct lookups of a slot only."""

BY_IPV4, BY_IPV6 = 2**30, 2**30 + 2**29
"""The least pseudonym by an IPv4 address, and by an IPv6 address; those by a MAC are below."""


class LookupContext(NamedTuple):
    """What lookups are counted under; the same words as those of ``counts.CountRow``.

    ``category`` is empty where no list or rule names the name, ``class_id`` and ``network``
    where none is known, ``blocker`` where nothing blocked.
    """

    grade: str
    class_id: str
    network: str
    category: str
    action: str
    blocker: str = ""

    @property
    def tier(self) -> str:
        """The tier of the grade."""
        return TIER_OF_GRADE[self.grade]


class Lookup(NamedTuple):
    """One lookup of a client.

    Attributes:
        at: Unix time in seconds; of several equal ones, the begin of their slot.
        name: the qname in canonical wire form.
        context: what it is counted under.
        device: pseudonym of the device of this school day, 1 to 2^31 - 1; 0 for none.
        is_row: whether the level keeps a row of it. Else it only adds to the distinct names.
        n: the number of equal lookups that it stands for.
    """

    at: int
    name: bytes
    context: LookupContext
    device: int
    is_row: bool = True
    n: int = 1


@frozen
class LookupBatch:
    """Lookups on their way to the disk; see ``counts.Batch``."""

    worker: str
    number: int
    lookups: tuple[Lookup, ...] = ()
    more: bool = False

    def to_plain(self) -> dict[str, Any]:
        """Return the batch as plain data: each name and context once, lookups as columns."""
        at, name, context, *rest = zip(*self.lookups, strict=True) if self.lookups else _NO_COLUMNS
        names, contexts = _numbered(name), _numbered(context)
        columns = at, map(names.get, name), map(contexts.get, context), *rest
        return {
            "worker": self.worker,
            "number": self.number,
            "names": [name.hex() for name in names],
            "contexts": list(map(list, contexts)),
            "columns": [
                array(kind, column).tobytes().hex()
                for kind, column in zip(_KINDS, columns, strict=True)
            ],
            "more": self.more,
        }

    @classmethod
    def from_plain(cls, data: dict[str, Any]) -> LookupBatch:
        """Return the batch that another process sent as plain data."""
        names = list(map(bytes.fromhex, data["names"]))
        contexts = [LookupContext(*one) for one in data["contexts"]]
        at, name, context, device, is_row, n = map(_column, _KINDS, data["columns"])
        columns = map(names.__getitem__, name), map(contexts.__getitem__, context)
        rows = zip(at, *columns, device, map(bool, is_row), n, strict=True)
        lookups = tuple(map(tuple.__new__, repeat(Lookup), rows))  # without a frame of Python each
        return cls(data["worker"], data["number"], lookups, data["more"])


_KINDS = "qIIIBI"
"""Of the columns of a batch, in the order of ``Lookup``; see ``array``."""

_NO_COLUMNS: Iterable[Any] = ((),) * len(_KINDS)


def _numbered(values: Iterable[T]) -> dict[T, int]:
    """Number the distinct ones of some values."""
    return dict(zip(dict.fromkeys(values), count()))


def _column(kind: str, text: str) -> array[int]:
    return array(kind, bytes.fromhex(text))


_COLUMN_OCTETS = 2 * sum(array(kind).itemsize for kind in _KINDS)


class LookupRoom(PacketRoom):
    """The room for the lookups of one packet.

    Attributes:
        contexts: of those that have room; each stands in a batch once.
    """

    __slots__ = ("contexts",)

    def __init__(self) -> None:
        super().__init__()
        self.contexts = set[LookupContext]()

    def octets(self, lookup: Lookup) -> int:
        """Return what a lookup takes: its name in hexadecimal, columns, and a new context."""
        octets = 2 * len(lookup.name) + _QUOTED_OCTETS + _COLUMN_OCTETS
        if lookup.context not in self.contexts:
            octets += json_octets(lookup.context)
        return octets

    def takes_lookup(self, lookup: Lookup) -> bool:
        """Take a lookup; return False where it has no room."""
        if not self.takes(self.octets(lookup)):
            return False
        self.contexts.add(lookup.context)
        return True


_QUOTED_OCTETS = 4
"""Of a text of JSON: its quotes, and what parts it from the next one."""

MOST_LOOKUPS = 50_000
"""Lookups held at most: a minute at 800 a second, or a day of a small school."""

_MOST_ONCE = 50_000


class LookupQueue:
    """Lookups in the order in which they came.

    Attributes:
        lost: how many had no room.
        is_distinct: whether rows of one name, context and slot are merged to one, without
            a device.
    """

    def __init__(self) -> None:
        self.lost = 0
        self.is_distinct = False
        self._name = secrets.token_hex(8)
        self._number = 0
        self._sequence = count()
        self._waiting: dict[object, Lookup] = {}
        self._handed = deque[LookupBatch]()
        self._in_hand = 0
        """Lookups of ``_handed``."""
        self._once = set[int]()
        """Hashes of name, context and device of lookups that are no rows."""

    def __len__(self) -> int:
        """Return how many wait to be written."""
        return len(self._waiting) + self._in_hand

    @property
    def waiting(self) -> int:
        """The number of lookups that are not handed over yet."""
        return len(self._waiting)

    def add(self, lookup: Lookup) -> int:
        """Keep a lookup, or count it as lost; return how many are not handed over yet."""
        if not lookup.is_row:
            self._add_once(lookup)
        elif not self.is_distinct:
            # Like ``_keep``, without its calls, as it is done for every lookup.
            if len(self._waiting) + self._in_hand < MOST_LOOKUPS:
                self._waiting[next(self._sequence)] = lookup
            else:
                self.lost += lookup.n
        else:
            self._merge(lookup)
            if len(self) < MOST_LOOKUPS:  # else it is counted as lost once, by its row
                self._add_once(lookup._replace(is_row=False, n=1))
        return len(self._waiting)

    def begin_day(self) -> None:
        """Forget which lookups that are no rows were handed over: a new day begins."""
        self._once.clear()

    def take(self, worker: str = "", acknowledged: int = 0, after: int = 0) -> LookupBatch:
        """Return the batch that follows another, as it was handed over before.

        Args:
            worker: whose batches are meant; numbers of a predecessor are ignored.
            acknowledged: the number up to which batches are on disk and are forgotten here.
            after: the number of the last one that the reader has.

        Returns: a batch without lookups if there is no more.
        """
        if worker != self._name:
            after = 0
            self.begin_day()
        self.acknowledge(worker, acknowledged)
        following = next((one for one in self._handed if one.number > after), None)
        if following is None:
            following = self._hand_over()
        is_last = following.number == self._number
        return replace(following, more=bool(self._waiting) or not is_last)

    def acknowledge(self, worker: str, number: int) -> None:
        """Forget the batches up to a number; one of a predecessor is ignored."""
        while worker == self._name and self._handed and self._handed[0].number <= number:
            self._in_hand -= len(self._handed.popleft().lookups)

    def take_all(self) -> Iterator[LookupBatch]:
        """Yield every batch that is left, when there will be no further call."""
        yield from self._handed
        while self._waiting:
            yield self._hand_over()

    def _hand_over(self) -> LookupBatch:
        lookups: tuple[Lookup, ...] = ()
        while self._waiting and not lookups:
            lookups = tuple(self._next_lookups())
        if not lookups:
            return LookupBatch(self._name, self._number)
        self._number += 1
        batch = LookupBatch(self._name, self._number, lookups)
        self._handed.append(batch)
        self._in_hand += len(batch.lookups)
        return batch

    def _next_lookups(self) -> Iterator[Lookup]:
        room = LookupRoom()
        found = room.take_out(
            self._waiting, LOOKUPS_A_BATCH, lambda _, lookup: room.octets(lookup), self._lose
        )
        for _, lookup in found:
            room.contexts.add(lookup.context)
            yield lookup

    def _lose(self, lookup: Lookup) -> None:
        self.lost += lookup.n

    def _add_once(self, lookup: Lookup) -> None:
        key = hash((lookup.name, lookup.context, lookup.device))
        if key in self._once:
            return
        if len(self._once) >= _MOST_ONCE:
            self.begin_day()
        if self._keep(next(self._sequence), lookup):
            self._once.add(key)

    def _merge(self, lookup: Lookup) -> None:
        at = lookup.at - lookup.at % SLOT_S
        key = at, lookup.name, lookup.context
        same = self._waiting.get(key)
        if same is None:
            self._keep(key, lookup._replace(at=at, device=0))
        else:
            self._waiting[key] = same._replace(n=same.n + lookup.n)

    def _keep(self, key: object, lookup: Lookup) -> bool:
        """Keep a lookup under a new key, and return whether there was room."""
        if len(self) >= MOST_LOOKUPS:
            self.lost += lookup.n
            return False
        self._waiting[key] = lookup
        return True
