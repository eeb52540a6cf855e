# SPDX-License-Identifier: Apache-2.0
"""Word what is shown of lookups as they happen, by log level."""

from __future__ import annotations

from typing import TYPE_CHECKING

from filterd import words
from filterd.i18n import say

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from filterd.rows import Wording

SHOWN = {
    "off": say("nothing is recorded"),
    "counts": say("numbers by grade; names are not kept at this level"),
    "names": say("numbers by grade; names are kept without time or class"),
    "blocked": say("blocked lookups; of the others numbers by grade"),
    "full": say("all lookups"),
}
"""What is shown of a tier at each level."""
_NUMBERS_ONLY = say("numbers by grade; lookups are shown to administrators only")


def levels_shown(levels: Mapping[str, str], wording: Wording, *, shows_rows: bool) -> Iterator[str]:
    """Yield what is shown at each level, and of which tiers where they differ.

    Args:
        levels: by tier.
        wording: the language.
        shows_rows: whether the reader may see lookups.
    """
    texts = wording.texts
    for level, what in SHOWN.items():
        tiers = [texts.word(words.TIER, tier) for tier, one in levels.items() if one == level]
        if not tiers:
            continue
        is_hidden = not shows_rows and level in ("blocked", "full")
        told = _NUMBERS_ONLY if is_hidden else what
        of_level = texts("log level {level}: {what}", level=level, what=told)
        is_one = len(tiers) == len(levels)
        yield of_level if is_one else f"{of_level} ({', '.join(tiers)})"
