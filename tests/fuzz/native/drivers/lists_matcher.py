# SPDX-License-Identifier: Apache-2.0
"""Names from the network into indexes that are sound, and into damaged ones.

Each damaged file has a valid header checksum and a valid digest, so that only the
loader's checks of the numbers, and the matcher's own, protect memory.
"""

from __future__ import annotations

import hashlib
import random
import struct
import tempfile
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from filterd.base.errors import BadLabelError, IndexFormatError
from filterd.lists import matcher
from filterd.lists._matcher import Matcher
from filterd.lists.index import Index
from filterd.lists.index_format import HEADER_OCTETS, SECTIONS, IndexHeader, SectionRange, aligned
from tests.support.packed_indexes import index_of, random_names, wire

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.fuzz.native.session import Session
    from tests.support.packed_indexes import Labels

REACHES = {"found", "absent", "no name", "damaged", "refused", "opened", "verified", "swept"}

_NAMES = 150
_ASKED = 12
_VALUES = (0, 1, 31, 32, 33, 64, 127, 128, 254, 255)
_NUMBERS = (0, 1, 2, 255, 256, 320, 65_535, 1 << 23, (1 << 31) - 1, (1 << 32) - 1)
_FIELDS = (
    "name_count",
    "group_count",
    "probe_limit",
    "set_count",
    "set_width",
    "block_octets",
    "seed",
)
_HOSTILE = (
    b"",
    b"\0",
    b"\1a" * 127 + b"\0",
    b"\1a" * 127 + b"\1",
    b"\1a" * 128 + b"\0",
    b"\1a" * 127,
    b"\x3f" + b"a" * 62,
    (b"\x3f" + b"a" * 63) * 4 + b"\0",
    (b"\x3f" + b"a" * 63) * 3 + b"\x3d" + b"a" * 61 + b"\0",
    (b"\x3f" + b"a" * 63) * 3 + b"\x3e" + b"a" * 62 + b"\0",
    b"\3a\0b\3com\0",
    b"\x40" + b"a" * 64 + b"\0",
    b"\xc0\x0c",
)


class Sound(NamedTuple):
    """An index to damage, and names that it lists."""

    octets: bytes
    header: IndexHeader
    listed: list[bytes]


def drive(session: Session) -> None:
    """Look names up in sound, swept and randomly damaged indexes."""
    with tempfile.TemporaryDirectory() as folder:
        indexes = list(_indexes(Path(folder)))
        for index in indexes:
            _ask(session, index.octets, index.header, index.listed[:_ASKED])
        _sweep(session, indexes[0])
        for _ in session.rounds():
            index = session.rng.choice(indexes)
            _ask_damaged(session, index)
            if session.rng.random() < 0.05:
                _open_damaged(session, index, Path(folder) / "damaged")


def _indexes(folder: Path) -> Iterator[Sound]:
    """Give indexes of every shape: usual and long blocks, both widths, and of nothing."""
    rng = random.Random(1)
    long: set[Labels] = {
        (b"x" * 63, b"y" * 63, b"z" * 63, b"%d" % n * 15, b"com") for n in range(10, 40)
    }
    shapes: list[tuple[set[Labels], int]] = [
        (random_names(rng, _NAMES), 2),
        (random_names(rng, _NAMES), 4),
        (random_names(rng, _NAMES) | long, 2),
        (long, 4),
        ({(b"a", b"com")}, 2),
        (set(), 2),
    ]
    for number, (names, set_width) in enumerate(shapes):
        path = folder / str(number)
        index_of(names, path, set_width).close()
        octets = path.read_bytes()
        header = IndexHeader.parse(octets[:HEADER_OCTETS], len(octets))
        yield Sound(octets, header, [wire(name) for name in sorted(names)] or [b"\1a\3com\0"])


def _ask(session: Session, octets: bytes, header: IndexHeader, names: list[bytes]) -> None:
    """Ask for everything that a matcher offers, once where no octet beyond the file is ours."""
    try:
        native = Matcher(session.give(octets), header)
    except IndexFormatError:
        session.reached["refused"] += 1
        return
    pure: Any = matcher.Matcher(octets, header) if session.rng.random() < 0.2 else None
    for name in [*names, _spoilt(session, names), session.rng.choice(_HOSTILE)]:
        found = _answer(native, session.give(name))
        session.reached[found if isinstance(found, str) else "found" if found else "absent"] += 1
        assert pure is None or found == _answer(pure, name), (found, _answer(pure, name))
    for count in (native.count_hits, native.count_hits_singly):
        try:
            count(names)
        except IndexFormatError:
            session.reached["damaged"] += 1
    for number in range(header.block_count):
        try:
            native.block(number)
        except IndexFormatError:
            session.reached["damaged"] += 1
    try:
        native.check()
    except IndexFormatError:
        session.reached["damaged"] += 1


def _answer(matcher: Any, name: bytes) -> object:
    try:
        return matcher.lookup(name)
    except BadLabelError:
        return "no name"
    except IndexFormatError:
        return "damaged"


def _spoilt(session: Session, names: list[bytes]) -> bytes:
    name = bytearray(session.rng.choice(names))
    place = session.rng.randrange(len(name))
    name[place : place + session.rng.randrange(2)] = bytes((session.rng.choice(_VALUES),))
    return bytes(name)


def _sweep(session: Session, index: Sound) -> None:
    """Damage every octet of every block in turn, in several ways."""
    start, length = index.header.spans["blocks"]
    width = index.header.block_octets
    ranked = _by_block(index)
    for place in range(start, start + length):
        names = ranked[(place - start) // width]
        for value in {index.octets[place] ^ 0x80, index.octets[place] + 1 & 0xFF, 0, 255}:
            damaged = index.octets[:place] + bytes((value,)) + index.octets[place + 1 :]
            native = Matcher(session.give(damaged), index.header)
            for name in names:
                _answer(native, name)
            session.reached["swept"] += 1


def _by_block(index: Sound) -> list[list[bytes]]:
    """Return some of the names that stand in each block."""
    blocks: list[list[bytes]] = [[] for _ in range(index.header.block_count)]
    matcher = Matcher(index.octets, index.header)
    for name in index.listed:
        blocks[matcher.lookup(name)[0].rank >> 5].append(name)
    return [names[::8] + names[-1:] for names in blocks]


def _ask_damaged(session: Session, index: Sound) -> None:
    octets, header = _damaged(session.rng, index)
    if header is None:
        session.reached["refused"] += 1
        return
    names = session.rng.sample(index.listed, min(_ASKED, len(index.listed)))
    _ask(session, octets, header, names)


def _damaged(rng: random.Random, index: Sound) -> tuple[bytes, IndexHeader | None]:
    """Return a damaged file and its header; None for that where the loader refuses it."""
    header, body = index.header, bytearray(index.octets[HEADER_OCTETS:])
    if rng.random() < 0.4:
        header = _damaged_header(rng, header)
    for _ in range(rng.choice((1, 1, 3, 30))):
        section = header.spans[rng.choice(SECTIONS[:4])]
        place = section.offset - HEADER_OCTETS + rng.randrange(max(1, section.length))
        if 0 <= place < len(body):
            body[place] = rng.choice((*_VALUES, rng.randrange(256)))
    if rng.random() < 0.1:
        del body[rng.randrange(len(body)) :]
    return _sealed(bytes(body), header)


def _sealed(body: bytes, header: IndexHeader) -> tuple[bytes, IndexHeader | None]:
    """Return a file whose checksum and digest are right, and what the loader makes of it."""
    try:
        octets = replace(header, digest=hashlib.sha256(body).digest()).pack() + body
        return octets, IndexHeader.parse(octets[:HEADER_OCTETS], len(octets))
    except (IndexFormatError, ValueError, ZeroDivisionError, struct.error):
        return b"", None


def _damaged_header(rng: random.Random, header: IndexHeader) -> IndexHeader:
    """Return a header that lies about counts, or moves octets from one section to another."""
    if rng.random() < 0.6:
        field = rng.choice(_FIELDS)
        near = getattr(header, field) + rng.choice((-1, 1, 2, -8, 8))
        lie: dict[str, Any] = {field: max(0, rng.choice((near, rng.choice(_NUMBERS))))}
        return replace(header, **lie)
    groups = max(0, header.group_count + rng.choice((-2, -1, 1, 2)))
    return _moved(replace(header, group_count=groups), rng)


def _moved(header: IndexHeader, rng: random.Random) -> IndexHeader:
    """Return a header whose sections have the lengths that its counts ask for, end to end."""
    blocks = max(0, header.block_count + rng.choice((-1, 0, 1)))
    lengths = {name: span.length for name, span in header.spans.items()}
    before = sum(map(aligned, lengths.values()))
    lengths |= {
        "blocks": header.block_octets * blocks,
        "slots": 32 * header.group_count,
        "line_offsets": 4 * blocks,
        "report": 0,
    }
    # What is left goes to the last, so that the sections fill the file again.
    lengths["report"] = max(0, before - sum(map(aligned, lengths.values())))
    spans, end = {}, HEADER_OCTETS
    for name in SECTIONS:
        spans[name] = SectionRange(end, lengths[name])
        end = aligned(end + lengths[name])
    return replace(header, spans=spans, name_count=min(header.name_count, blocks * 32))


def _open_damaged(session: Session, index: Sound, path: Path) -> None:
    """Put a damaged file where a service finds it, and use it as one does."""
    octets, _ = _damaged(session.rng, index)
    path.write_bytes(octets)
    try:
        opened = Index.open(path)
    except IndexFormatError:
        session.reached["refused"] += 1
        return
    session.reached["opened"] += 1
    for name in index.listed[:_ASKED]:
        _answer(opened, session.give(name))
    try:
        opened.verify()
        for rank, _ in opened.ranked_names():
            opened.entries(rank)
        session.reached["verified"] += 1
    except (IndexFormatError, IndexError):
        session.reached["damaged"] += 1
    opened.close()
