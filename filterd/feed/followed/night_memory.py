# SPDX-License-Identifier: Apache-2.0
"""Check that this machine can compile so many names, before it is tried.

The cost of a name is measured, so what is too large is refused in words. The bounds of the
children (``memory_octets`` of each) are for what the estimate does not see.
"""

from __future__ import annotations

from filterd.base import process_memory
from filterd.base.errors import TooLargeError
from filterd.texts.i18n import Sentence, say

MOST_OCTETS = 640_000_000
"""Of a child of the night on any machine: five million names."""
BASE_OCTETS, OCTETS_A_NAME, TEXT_OCTETS_A_NAME = 60_000_000, 95, 20
"""What the guard's child takes, the larger of a night's two: with nothing, and for each name
beside the octets of its line; how long that is where the text is not here yet. Measured with
1, 2.5 and 5 million made-up names (``tests.bench.followed_night``)."""


def night_octets() -> int:
    """Return how much memory a child of the night may take here."""
    return process_memory.child_octets(MOST_OCTETS)


def most_names(names: int, text_octets: int, memory_octets: int) -> int | None:
    """Return how many such names a child can take; None if it can take all of these."""
    needed = names * OCTETS_A_NAME + text_octets
    free = max(memory_octets - BASE_OCTETS, 0)
    return names * free // needed if needed > free else None


def check_size(names: int, text_octets: int | None = None) -> None:
    """Check that this machine can take so many followed names, by an estimate.

    Args:
        names: of all texts together.
        text_octets: of them; None where that is not known.

    Raises:
        TooLargeError: it cannot.
    """
    text_octets = names * TEXT_OCTETS_A_NAME if text_octets is None else text_octets
    most = most_names(names, text_octets, night_octets())
    if most is not None:
        raise TooLargeError(
            say(
                "the followed lists have {names} names; this machine takes at most {most}:"
                " unfollow some (filterd lists sources)",
                names=names,
                most=most,
            )
        )


def too_many(lines: int, most: int) -> Sentence:
    """Return why the lists of a version are too long for this machine, and the remedy."""
    return say(
        "its lists have {lines} lines, this machine has memory for {most}: take a machine with"
        " more memory, or have shorter lists published",
        lines=lines,
        most=most,
    )
