# SPDX-License-Identifier: Apache-2.0
"""Read and write the centre's answers to reported mistakes of lists.

A version of a feed carries them as ``mistakes.json``. They are shown beside the reports and do
nothing else: whether a name is listed is decided by the lists alone.
"""

from __future__ import annotations

import json
from datetime import date
from enum import StrEnum
from typing import TYPE_CHECKING, Any, NamedTuple

from filterd.base.errors import ChangeError, FilterdError
from filterd.base.paths import read_plain
from filterd.overrides.changes import change_fields
from filterd.overrides.changes.change_fields import ChangeFields
from filterd.policy import field_checks
from filterd.texts.i18n import say

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

FILE = "mistakes.json"
KEPT_DAYS = 90
"""An answer is in the versions of so many days."""
MOST_ANSWERS = 1_000
MOST_OCTETS = 1 << 20


class MistakeOutcome(StrEnum):
    """What became of a report: its entries are out of the lists, or they stay."""

    MENDED = "mended"
    REFUSED = "refused"


class MistakeAnswer(NamedTuple):
    """The answer to all reports of one name.

    ``on`` is the day, ISO 8601; ``version`` the first published one that has the answer, 0
    before it is published; ``reason`` is for the schools.
    """

    name: str
    outcome: MistakeOutcome
    on: str
    reason: str
    version: int = 0


def dump_answers(answers: Iterable[MistakeAnswer]) -> bytes:
    """Return the octets of the file; the same answers give the same octets."""
    plain = [
        {key: value for key, value in answer._asdict().items() if value}
        for answer in sorted(answers)
    ]
    return json.dumps({"answers": plain}, ensure_ascii=False, indent=1).encode() + b"\n"


def parse_answers(octets: bytes) -> tuple[MistakeAnswer, ...]:
    """Parse the octets of the file.

    Raises:
        ChangeError: a value is wrong, or there are too many.
    """
    try:
        plain: Any = json.loads(octets) if len(octets) <= MOST_OCTETS else None
    except (ValueError, RecursionError):
        plain = None
    rows = plain.get("answers") if isinstance(plain, dict) else None
    if not isinstance(rows, list) or len(rows) > MOST_ANSWERS:
        raise ChangeError(say("these are not answers to reported mistakes"))
    return tuple(map(_answer, rows))


def read_answers(folder: Path) -> dict[str, MistakeAnswer]:
    """Return the answers of a version by name; none where they cannot be read."""
    try:
        answers = parse_answers(read_plain(folder / FILE, MOST_OCTETS))
    except (FilterdError, OSError):
        return {}
    return {answer.name: answer for answer in answers}


def _answer(plain: Any) -> MistakeAnswer:
    if not isinstance(plain, dict):
        raise ChangeError(say("these are not answers to reported mistakes"))
    fields = ChangeFields(plain)
    outcomes = [one.value for one in MistakeOutcome]
    answer = MistakeAnswer(
        fields.take("name", field_checks.name),
        MistakeOutcome(
            fields.take("outcome", lambda one: field_checks.one_of(one, outcomes, say("outcome")))
        ),
        fields.take("on", _day),
        fields.take_or("reason", lambda value: change_fields.reason(value, required=False), ""),
        fields.take_or("version", change_fields.number, 0),
    )
    fields.end()
    return answer


def _day(value: Any) -> str:
    text = field_checks.a_text(value)
    try:
        return date.fromisoformat(text).isoformat()
    except ValueError:
        raise ChangeError(say("{value} is not a day", value=field_checks.shown(value))) from None
