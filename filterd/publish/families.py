# SPDX-License-Identifier: Apache-2.0
"""Find families among listed names: labels that differ only in digits or suffix.

A family is found by the *shape* of the registered label: its plain form
(``filterd.lists.homoglyphs``) with each run of digits as ``#``. Digits that all members
have in common are no chance; they stay as they are: ``k8tip01``, ``k8tip02`` have the
shape ``k8tip#``.
"""

from __future__ import annotations

import re
from collections import defaultdict
from typing import TYPE_CHECKING, NamedTuple

from filterd.lists.homoglyphs import plain
from filterd.lists.hostname import HostnameError, key_from_text
from filterd.lists.lookalikes import MOST_DIGITS, MOST_SHAPE_OCTETS
from filterd.lists.public_suffix import is_public_suffix, public_suffixes
from filterd.wire import name as wire_names

if TYPE_CHECKING:
    from collections.abc import Iterable

EXAMPLES = 5

_DIGITS = re.compile(rb"[0-9]+")


class Registered(NamedTuple):
    """A registered label: its plain form, and the suffix that it is beneath."""

    name: str
    label: bytes
    suffix: str


class Family(NamedTuple):
    """Names of one shape. ``digits``: the most that a run of theirs has; ``examples``: some."""

    shape: bytes
    digits: int
    members: int
    examples: tuple[str, ...]

    @property
    def letters(self) -> int:
        """Return the number of letters, which identify a family."""
        return letters(self.shape)


def letters(shape: bytes) -> int:
    """Return how many letters a shape has."""
    return sum(octet in b"abcdefghijklmnopqrstuvwxyz" for octet in shape)


def registered(name: str) -> Registered | None:
    """Return what was registered of a name; None for what is no such name, or reads as none."""
    try:
        key = key_from_text(name)
    except HostnameError:
        return None
    end = 0
    while end := key.find(b"\0", end) + 1:
        if not is_public_suffix(key[:end]):
            break
    else:
        return None
    *above, label = key[: end - 1].split(b"\0")
    taken_for = plain(label)
    if taken_for is None or not above:
        return None
    suffix = b".".join(reversed(above)).decode("ascii")
    return Registered(f"{label.decode('ascii')}.{suffix}", taken_for, suffix)


def suffixes_as_registered() -> list[Registered]:
    """Return all public suffixes of two and more labels as if they were registered.

    ``biz.az`` is no name beneath ``az``, and a rule that closes it closes all beneath it.
    """
    found = []
    for suffix in public_suffixes():
        name = wire_names.to_text(suffix)
        label, _, above = name.partition(".")
        taken_for = plain(label.encode("ascii"))
        if taken_for is not None:
            found.append(Registered(name, taken_for, above))
    return found


def distinct(names: Iterable[str]) -> list[Registered]:
    """Return what was registered of all these names, each once, sorted."""
    found = {one for name in names if (one := registered(name)) is not None}
    return sorted(found)


def families(members: Iterable[Registered]) -> list[Family]:
    """Return all families of two and more, the largest first."""
    by_shape = defaultdict[bytes, list[Registered]](list)
    for one in members:
        by_shape[_DIGITS.sub(b"#", one.label)].append(one)
    found = [_family(shape, some) for shape, some in by_shape.items() if len(some) > 1]
    kept = [one for one in found if len(one.shape) <= MOST_SHAPE_OCTETS]
    return sorted(kept, key=lambda one: (-one.members, one.shape))


def _family(shape: bytes, members: list[Registered]) -> Family:
    runs = [_DIGITS.findall(one.label) for one in members]
    parts = shape.split(b"#")
    narrowed = parts[0]
    for values, part in zip(zip(*runs, strict=True), parts[1:], strict=True):
        narrowed += (values[0] if len(set(values)) == 1 else b"#") + part
    # One digit more than was seen: families count up, from 99 to 100.
    longest = max((len(run) for some in runs for run in some), default=0) + 1
    names = tuple(one.name for one in members[:EXAMPLES])
    return Family(narrowed, min(longest, MOST_DIGITS), len(members), names)
