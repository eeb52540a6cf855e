# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import pytest

from filterd.errors import ControlError
from filterd.querylog.day_reader import DAY_ENDS, RowId


@pytest.mark.parametrize("at", [0, 1, 27_312 << 20 | 3, (25 * 3600) << 20 | 1_048_575])
def test_the_id_of_a_row_can_be_written_and_read(at: int) -> None:
    row = RowId("2026-11-28", at)
    assert RowId.read(str(row)) == row


def test_the_id_of_a_row_shows_its_time() -> None:
    assert str(RowId("2026-11-28", 27_312 << 20 | 3)) == "2026-11-28T07:35:12.3"


@pytest.mark.parametrize(
    "text",
    [
        "",
        "7",
        "2026-13-28T07:35:12.3",
        "../../x",
        "2026-11-28T07:35:12",
        "2026-11-28T07:35:12.3\n",
        "2026-11-28T07:61:12.3",
        "2026-11-28T07:35:12.99999999",
    ],
)
def test_other_texts_are_no_ids(text: str) -> None:
    with pytest.raises(ControlError, match="is not the ID of a row"):
        RowId.read(text)


def test_an_id_beyond_the_day_stays_a_number_that_sqlite_can_hold() -> None:
    assert RowId.read("2026-11-28T99:59:59.9999999").at == DAY_ENDS
