# SPDX-License-Identifier: Apache-2.0
"""Find forms: look-alike shapes in which whole runs of letters or digits vary.

Sites of gambling without any listed relative still follow the fashion of their trade: a few
letters before ``88``, or ``8x`` before four digits. In a *form* ``@`` stands for one letter and
``%`` for one digit: ``@@88``, ``8x%%%%``. Each run of letters and each run of digits varies as
a whole or is kept as a whole, so a form has as many octets as every label of it.

A form says less than a family's shape, so many more listed names must have it (``needed``).
The bounds follow from what popular names look like: words of three and more letters with a
number behind them, and one or two letters with few digits, are anybody's; several short runs,
or one kept run and five varying digits, hardly ever. ``tests/bench/list_coverage.py`` measures
them: they were chosen on one half of the popular names, the other half is the measure.
"""

from __future__ import annotations

import re
from collections import Counter
from functools import lru_cache
from itertools import pairwise, product
from typing import TYPE_CHECKING, Final, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Sequence

LETTER: Final = b"@"
"""Of a form: one letter."""
DIGIT: Final = b"%"
"""Of a form: one digit."""
MOST_RUNS = 5
PROPORTION = 150_000
"""Labels of a category up to which ``needed`` is what is needed; a longer list needs more."""

_LETTERS, _DIGITS = b"abcdefghijklmnopqrstuvwxyz", b"0123456789"
_CLASSES = bytes.maketrans(_LETTERS + _DIGITS, LETTER * 26 + DIGIT * 10)
_RUNS = re.compile(rb"[a-z]+|@+|[0-9]+|%+")
_ORDINARY = re.compile(rb"(?<![0-9])(?:24|123|247|36[05]|(?:19|20)[0-9]{2})(?![0-9])")
"""Numbers that names of every kind have: round the clock, the year, a count."""


class Run(NamedTuple):
    """A run of letters or digits of a form, and whether it varies."""

    octets: int
    letters: bool
    varies: bool


def class_form(label: bytes) -> bytes:
    """Return the widest form of a label in plain form, or of a narrower form."""
    return label.translate(_CLASSES)


def is_ordinary(label: bytes) -> bool:
    """Return whether a label has a number that names of every kind have.

    No form may take such a number for a sign of the label's trade.
    """
    return _ORDINARY.search(label) is not None


def runs_of(form: bytes) -> tuple[Run, ...]:
    """Return the runs of a form; none if its octets are no form's."""
    found = _RUNS.findall(form)
    runs = tuple(Run(len(one), one[:1] in _LETTERS + LETTER, one[0] in b"@%") for one in found)
    alternate = all(one.letters != after.letters for one, after in pairwise(runs))
    return runs if alternate and b"".join(found) == form else ()


def is_form(shape: bytes) -> bool:
    """Return whether a shape is a form that enough listed names could justify."""
    return needed(runs_of(shape)) is not None


def needed(runs: Sequence[Run]) -> int | None:
    """Return how many labels a form needs; None if no number is enough."""
    letters = max((one.octets for one in runs if one.varies and one.letters), default=0)
    digits = max((one.octets for one in runs if one.varies and not one.letters), default=0)
    kept = sum(one.octets for one in runs if not one.varies)
    octets = sum(one.octets for one in runs)
    if not 2 <= len(runs) <= MOST_RUNS or kept == octets:
        return None
    if len(runs) > 2:
        return _needed_of_many(octets, kept, letters, starts_with_letters=runs[0].letters)
    return _needed_of_two(runs, letters, digits, kept)


def _needed_of_many(
    octets: int, kept: int, letters: int, *, starts_with_letters: bool
) -> int | None:
    """Return ``needed`` for three runs and more.

    ``letters`` is the most in a run that varies.
    """
    if octets < 6 or letters > 2:
        return None
    if kept >= 2:
        return 20
    return None if letters == 2 and starts_with_letters else 50


def _needed_of_two(runs: Sequence[Run], letters: int, digits: int, kept: int) -> int | None:
    """Return ``needed`` for two runs.

    ``letters`` and ``digits`` tell how many of each vary.
    """
    starts_with_letters = runs[0].letters
    of_letters = sum(one.octets for one in runs if one.letters)
    if letters and digits:
        return 80 if digits >= 5 and of_letters <= (1 if starts_with_letters else 3) else None
    if not starts_with_letters:
        return None
    if digits:
        least = {1: 5, 2: 3, 3: 3}.get(of_letters)
        return 20 if least and digits >= least else None
    return 60 if letters <= 3 and kept >= 2 else None


def forms(labels: Collection[bytes]) -> dict[bytes, int]:
    """Return all forms that enough of these labels have, and how many.

    The widest form comes first.

    Args:
        labels: in plain form, each once.
    """
    counts, least = Counter[bytes](), max(1.0, len(labels) / PROPORTION)
    for label in labels:
        if not is_ordinary(label):
            runs = _RUNS.findall(label)
            counts.update(_fill(pattern, runs) for pattern in _patterns(class_form(label)))
    found = {
        form: count
        for form, count in counts.items()
        if count >= least * (needed(runs_of(form)) or 0)
    }
    return dict(sorted(found.items(), key=lambda one: (-_varying(one[0]), -one[1], one[0])))


def wider(form: bytes) -> Iterator[bytes]:
    """Yield the wider forms of a form: more of its runs vary."""
    runs = _RUNS.findall(form)
    for one in product(
        *((run, class_form(run)) if run[0] not in b"@%" else (run,) for run in runs)
    ):
        if (joined := b"".join(one)) != form:
            yield joined


def pattern_of(form: bytes) -> tuple[bytes, ...]:
    """Return the runs of a form, empty where they are kept."""
    return tuple(one if one[0] in b"@%" else b"" for one in _RUNS.findall(form))


def narrowed(label: bytes, pattern: tuple[bytes, ...]) -> bytes:
    """Return the form of a label in which the runs of a pattern vary."""
    return _fill(pattern, _RUNS.findall(label))


def _fill(pattern: tuple[bytes, ...], runs: list[bytes]) -> bytes:
    return b"".join([varying or run for varying, run in zip(pattern, runs, strict=True)])


def _varying(form: bytes) -> int:
    return form.count(LETTER) + form.count(DIGIT)


@lru_cache(maxsize=4_096)
def _patterns(widest: bytes) -> tuple[tuple[bytes, ...], ...]:
    """Return the patterns of all forms that labels of a widest form may have."""
    runs = runs_of(widest)
    if not 2 <= len(runs) <= MOST_RUNS:
        return ()
    texts, found = _RUNS.findall(widest), list[tuple[bytes, ...]]()
    for varies in product((True, False), repeat=len(runs)):
        if needed([run._replace(varies=one) for run, one in zip(runs, varies, strict=True)]):
            found.append(
                tuple(text if one else b"" for text, one in zip(texts, varies, strict=True))
            )
    return tuple(found)
