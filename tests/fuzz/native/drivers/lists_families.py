# SPDX-License-Identifier: Apache-2.0
"""Texts into the reader of families and records into the writer of lists, sound and not."""

from __future__ import annotations

from typing import TYPE_CHECKING

from filterd.feed.families.lookalike_families import DIGITS, registered
from filterd.lists import _matcher as native
from filterd.lists.public_suffix import suffix_rules
from filterd.lists.sort_records import plainly_survey, plainly_write_names, record_tail

if TYPE_CHECKING:
    from random import Random

    from tests.fuzz.native.session import Session

REACHES = {"taken", "left", "written", "refused"}

_LABELS = ("a", "rn", "vv", "1-2", "com", "vn", "x" * 62 + "y", "x" * 64, "xn--a", "-", "", "A")


def drive(session: Session) -> None:
    """Read texts of names, and write records as texts."""
    rng = session.rng
    for _ in session.rounds():
        names = [_name(rng) for _ in range(rng.randrange(9))]
        text = session.give(rng.choice((b"\n", b"\n=", b"")).join(names))
        taken = list[bytes]()
        left = native.take_members(text, suffix_rules(), taken)
        for one in taken:
            found = registered(one.partition(b"\0")[2].decode())
            assert found is not None, one
            assert one == DIGITS.sub(b"#", found.label) + b"\0" + found.name.encode()
        session.reached["taken"] += len(taken)
        session.reached["left"] += len(left)
        _write(session, names)


def _write(session: Session, names: list[bytes]) -> None:
    rng = session.rng
    labels = (name.split(b".") for name in names)
    keys = (b"\0".join((*reversed(some), b"")) for some in labels if all(some))
    records = sorted(key + record_tail(rng.randrange(3), rng.randrange(3)) for key in keys)
    given = [session.give(record) for record in records]
    drops_covered, roles = rng.random() < 0.5, rng.randbytes(3)
    assert native.write_names(given, roles, drops_covered) == plainly_write_names(
        given, roles, drops_covered
    )
    seen = frozenset(one[:-9] for one in given[::2])
    assert native.survey(given, seen, roles) == plainly_survey(given, seen, roles)
    session.reached["written"] += 1
    try:
        native.write_names([session.give(rng.randbytes(rng.randrange(20)))], roles, drops_covered)
    except (IndexError, ValueError):
        session.reached["refused"] += 1


def _name(rng: Random) -> bytes:
    labels = [rng.choice(_LABELS) for _ in range(rng.choice((1, 2, 3, 5, 40, 127)))]
    return ".".join(labels)[-rng.choice((5, 40, 252, 253, 254, 400)) :].encode()
