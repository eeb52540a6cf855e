# SPDX-License-Identifier: Apache-2.0
"""The snapshot: all overrides as one checksummed file, loaded at start.

A start loads it instead of the store. It has the number and the hash of the last
change, so it also reveals a store that has lost its end, and a new store begins with
it when the old one had to be set aside. There are two of it, written one after the
other: where one is lost or damaged the other counts.
"""

from __future__ import annotations

import logging
from dataclasses import field, replace
from typing import TYPE_CHECKING, Any

from filterd.base.errors import StoreError
from filterd.base.state_file import ADDED, FileFormat
from filterd.base.value_class import frozen
from filterd.overrides.changes.effects import THINGS, is_over, key_of
from filterd.policy.model import Audience
from filterd.policy.temporary_rules import Overrides
from filterd.texts.i18n import say

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

KEPT_AFTER_END_S = 86_400
"""How long ended things stay in the file: the clock may be set back."""
KEPT_AT_LEAST = 200
"""The last of the ended things: the clock may have been far ahead for a while."""

_logger = logging.getLogger("filterd.overrides")


@frozen
class Exported:
    """The overrides after the change of their number, and its hash.

    ``at`` is the time of that change, or of an earlier one, if the clock was later then.
    """

    overrides: Overrides
    hash: str
    at: float = field(default=0.0, metadata={ADDED: True})


FORMAT = FileFormat(
    Exported,
    magic=b"filterd overrides ",
    title=say("copy of the settings made by commands"),
    remedy=say("restart filterd, which writes it again"),
    words={"Audience": Audience, "Overrides": Overrides},
)


def newest(copies: Iterable[Path]) -> Exported | None:
    """Return the newest sound copy, None without any; log a damaged one."""
    best: Exported | None = None
    for path in copies:
        try:
            found = FORMAT.load(path)
        except StoreError as error:
            if not isinstance(error.__cause__, FileNotFoundError):
                _logger.error("%s", error)
            continue
        if best is None or found.overrides.number > best.overrides.number:
            best = found
    return best


def lasting(overrides: Overrides, now: float) -> Overrides:
    """Return overrides without things that ended long ago, which bounds the file."""
    kept: dict[str, Any] = {kind: _lasting(getattr(overrides, kind), now) for kind in THINGS}
    return replace(overrides, **kept)


def _lasting(things: tuple[Any, ...], now: float) -> tuple[Any, ...]:
    ended = [thing for thing in things if is_over(thing, now - KEPT_AFTER_END_S)]
    gone = {key_of(thing) for thing in ended[: max(0, len(ended) - KEPT_AT_LEAST)]}
    return tuple(thing for thing in things if key_of(thing) not in gone)
