# SPDX-License-Identifier: Apache-2.0
"""Records into the packer: those of the compiler, and some that it never makes."""

from __future__ import annotations

from array import array
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

from filterd.lists import _matcher as native
from filterd.lists.index_format import LONG_BLOCK_OCTETS
from filterd.lists.packing import PlainPacker, plainly_fill_slots
from filterd.lists.sort_records import record_tail

if TYPE_CHECKING:
    from random import Random

    from tests.fuzz.native.session import Session

PLAIN = SimpleNamespace(Packer=PlainPacker, fill_slots=plainly_fill_slots)

REACHES = {"packed alike", "refused", "survived", "slots alike"}

_LISTS = [0, 0, 1, 1, 2]
_FLAGS = bytes((3, 1, 3, 0, 4))
_LABELS = (b"a", b"ab", b"com", b"vn", b"x" * 63, b"abcdefghijklmnop", b"-", b"q" * 30)
_SIZES = (0, 1, 5, 60, 200)


def drive(session: Session) -> None:
    """Pack in turn what is right, compared with the twin, and what is not; fill tables."""
    for number in session.rounds():
        if number % 3 == 0:
            _pack_right(session)
        elif number % 3 == 1:
            _pack_wrong(session)
        else:
            _fill(session)


def _key(rng: Random) -> bytes:
    labels = [rng.choice(_LABELS) for _ in range(rng.randint(2, 5))]
    while sum(map(len, labels)) + len(labels) > 254:
        labels.pop()
    return b"".join(label + b"\0" for label in labels)


def _packed(module: Any, records: list[bytes], octets: int, width: int) -> list[object]:
    packer: Any = module.Packer(_LISTS, _FLAGS, 3, 2**63 + 5, octets, width)
    packer.pack(records, lambda _done: None)
    slots, longest = module.fill_slots(packer.hashes, packer.ranks, len(packer.line_offsets))
    arrays = (packer.blocks, packer.lines, packer.line_offsets, packer.ranks, packer.hashes, slots)
    return [*map(list, arrays), packer.sets, packer.kept, packer.redundant, longest]


def _pack_right(session: Session) -> None:
    rng = session.rng
    records = sorted(
        _key(rng) + record_tail(rng.randrange(5), rng.choice((0, 1, 300, 2**32 - 1)))
        for _ in range(rng.choice(_SIZES))
    )
    records = [session.give(record) for record in records]
    width = rng.choice((2, 4))
    packed = _packed(native, records, LONG_BLOCK_OCTETS, width)
    assert packed == _packed(PLAIN, records, LONG_BLOCK_OCTETS, width)
    session.reached["packed alike"] += 1


def _pack_wrong(session: Session) -> None:
    """Pack records out of order, too long, of no claim, of any octets."""
    rng = session.rng
    records = [session.give(_wrong(rng)) for _ in range(rng.choice(_SIZES))]
    octets = rng.choice((0, 1, 7, 64, 256, LONG_BLOCK_OCTETS, LONG_BLOCK_OCTETS + 1))
    try:
        _packed(native, records, octets, rng.choice((2, 4, 2, 4, 3)))
    except (ValueError, OverflowError):
        session.reached["refused"] += 1
    else:
        session.reached["survived"] += 1


def _wrong(rng: Random) -> bytes:
    drawn = rng.random()
    if drawn < 0.02:
        return rng.randbytes(rng.randrange(12))
    if drawn < 0.2:
        return rng.randbytes(rng.randrange(400)) + b"\0" + record_tail(0, 1)
    if drawn < 0.25:
        return b"x" * rng.choice((255, 256, 600)) + b"\0" + record_tail(1, 2)
    return _key(rng) + record_tail(rng.choice((0, 1, 2, 3, 4) * 9 + (5,)), 7)


def _fill(session: Session) -> None:
    """Fill tables whose names crowd into few groups, the last one above all."""
    rng = session.rng
    count = rng.choice((0, 1, 9, 40, 200))
    last = (1 << 64) - 1
    hashes = [rng.choice((last, last >> 1, 0, rng.getrandbits(64))) for _ in range(count)]
    ranks = list(range(count))
    session.give(array("Q", hashes).tobytes())
    made = [
        one.fill_slots(array("Q", hashes), array("I", ranks), -(-count // 32))
        for one in (native, PLAIN)
    ]
    assert made[0] == made[1]
    session.reached["slots alike"] += 1
