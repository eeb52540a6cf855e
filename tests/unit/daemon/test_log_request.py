# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import pytest

from filterd.base.errors import ConfigError
from filterd.daemon.log_request import Days, check_known
from filterd.operations.log import LookupChoice

STORED = ("2026-11-28", "2026-11-27", "2026-11-20", "2026-10-01")


@pytest.mark.parametrize(
    ("choice", "days"),
    [
        (LookupChoice(), STORED[:2]),
        (LookupChoice(days=1), STORED[:1]),
        (LookupChoice(days=9), STORED[:3]),
        (LookupChoice(day="2026-11-20", days=1), STORED[2:3]),
        (LookupChoice(day="2026-11-21"), ()),
    ],
)
def test_days_are_those_of_the_calendar_that_have_a_file(
    choice: LookupChoice, days: tuple[str, ...]
) -> None:
    assert Days.of(choice, STORED, "2026-11-28") == Days(days, "2026-11-28")


def test_a_word_that_stands_for_nothing_here_is_refused_with_a_hint() -> None:
    check_known("", ["games"])
    check_known("games", ["games"])
    with pytest.raises(ConfigError, match="'gmes' is not known here") as caught:
        check_known("gmes", ["games"])
    assert "games" in str(caught.value.hint)
