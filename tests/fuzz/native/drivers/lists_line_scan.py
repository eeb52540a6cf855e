# SPDX-License-Identifier: Apache-2.0
"""Lines of lists into the skimmer: plain ones, nearly plain ones, and any text."""

from __future__ import annotations

from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

from filterd.lists import _matcher as native
from filterd.lists.formats import PLAIN_LINES
from filterd.lists.intake import plainly_skim

if TYPE_CHECKING:
    from random import Random

    from filterd.lists.formats import PlainLine
    from tests.fuzz.native.session import Session

PLAIN = SimpleNamespace(skim=plainly_skim)

REACHES = {"taken", "left"}

_SHAPES = [*PLAIN_LINES["adblock"], *PLAIN_LINES["hosts"], *PLAIN_LINES["wildcard"]]
_LABELS = ("a", "ab", "com", "vn", "x" * 63, "x" * 64, "xn--a", "a--b", "9", "", "A", "_-_")
_SPECIAL = (frozenset((b"vn\0com\0",)), frozenset((b"com\0",)))


def drive(session: Session) -> None:
    """Skim batches of lines by both twins."""
    rng = session.rng
    for _ in session.rounds():
        shape = rng.choice(_SHAPES)
        lines = [_line(rng, rng.choice((shape, shape, *_SHAPES))) for _ in range(rng.randrange(9))]
        for line in lines:
            session.give(line.encode("utf-8", "surrogatepass"))
        claim = rng.choice((0, 7, 2**32 - 1))
        made = [_skimmed(module, lines, shape, claim) for module in (native, PLAIN)]
        assert made[0] == made[1]
        left, records = made[0]
        session.reached["taken"] += len(records)
        session.reached["left"] += sum(map(bool, left))


def _skimmed(
    module: Any, lines: list[str], shape: PlainLine, claim: int
) -> tuple[list[str], list[bytes]]:
    left, records = list(lines), list[bytes]()
    module.skim(left, shape, 2**32 - 9, claim, _SPECIAL, records)
    return left, records


def _line(rng: Random, shape: PlainLine) -> str:
    if rng.random() < 0.1:
        return "".join(chr(rng.choice((0, 46, 97, 255, 0x20AC, 0xDC80))) for _ in range(9))
    labels = [rng.choice(_LABELS) for _ in range(rng.choice((1, 2, 3, 5, 40, 127)))]
    name = ".".join(labels)[: rng.choice((5, 40, 252, 253, 254, 400))]
    return f"{shape.before}{name}{shape.after}"
