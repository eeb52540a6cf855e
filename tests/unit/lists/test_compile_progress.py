# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import pytest

from filterd.lists.compile_progress import Work


def told_by(octets: int) -> tuple[Work, list[tuple[int, int]]]:
    told = list[tuple[int, int]]()
    return Work(lambda done, of: told.append((done, of)), octets), told


def test_reading_all_is_not_the_end() -> None:
    work, told = told_by(1000)
    work.has_read(1000)
    assert told == [(700, 1000)]


def test_packing_goes_on_where_reading_ended() -> None:
    work, told = told_by(1000)
    work.has_packed(0, 10)
    work.has_packed(10, 10)
    assert 700 < told[0][0] < told[1][0] < 1000


def test_end_is_reached_when_everything_is_done() -> None:
    work, told = told_by(1000)
    work.finish()
    assert told == [(1000, 1000)]


def test_packing_once_more_does_not_go_back() -> None:
    work, told = told_by(1000)
    work.has_packed(10, 10)
    work.has_packed(0, 10)
    assert told[0] == told[1]


@pytest.mark.parametrize("octets", [0, 1])
def test_lists_of_nearly_nothing_are_no_error(octets: int) -> None:
    work, told = told_by(octets)
    work.has_read(octets)
    work.has_packed(0, 0)
    work.finish()
    assert told[-1] == (octets, octets)


def test_list_that_grows_while_it_is_read_does_not_pass_the_end() -> None:
    work, told = told_by(1000)
    work.has_read(5000)
    assert told == [(1000, 1000)]
