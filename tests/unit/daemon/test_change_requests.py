# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from filterd.daemon.change_requests import (
    add_what_lists_say,
    work_out_length,
    work_out_lesson,
)
from filterd.errors import ChangeError
from filterd.version import __version__
from tests.support.policies import NOW, a_policy, an_index

if TYPE_CHECKING:
    from pathlib import Path

HOUR = 3600.0


def test_a_length_becomes_an_end_and_waits_for_an_unknown_time() -> None:
    known: dict[str, Any] = {"for_s": HOUR}
    assert not work_out_length(known, NOW, is_unknown=False)
    assert known == {"ends_at": NOW + HOUR}
    unknown: dict[str, Any] = {"for_s": HOUR}
    assert work_out_length(unknown, NOW, is_unknown=True)
    assert unknown == {"ends_at": NOW + HOUR, "for_s": HOUR}


def test_a_length_counts_from_the_beginning_that_is_told() -> None:
    request: dict[str, Any] = {"for_s": HOUR, "starts_at": NOW + 60}
    assert work_out_length(request, NOW, is_unknown=True)
    assert request == {"starts_at": NOW + 60, "ends_at": NOW + 60 + HOUR}


def test_what_is_open_waits_for_no_time() -> None:
    assert not work_out_length({}, NOW, is_unknown=True)


@pytest.mark.parametrize(
    ("request_", "is_unknown", "why"),
    [
        ({"for_s": HOUR, "ends_at": NOW + 1}, False, "exclude each other"),
        ({"ends_at": NOW}, True, "the time is not known, and that is past"),
        ({"for_s": "an hour"}, False, ".+"),
    ],
)
def test_a_length_that_is_none_is_refused(
    request_: dict[str, Any], is_unknown: bool, why: str
) -> None:
    with pytest.raises(ChangeError, match=why):
        work_out_length(request_, NOW, is_unknown=is_unknown)


@pytest.mark.parametrize(
    ("request_", "is_unknown", "why"),
    [
        ({"lesson": True, "ends_at": NOW}, False, "exclude each other"),
        ({"lesson": True}, True, "so is no lesson"),
        ({"lesson": True}, False, "there is no lesson at that time"),
    ],
)
def test_a_lesson_that_is_not_on_is_refused(
    request_: dict[str, Any], is_unknown: bool, why: str
) -> None:
    with pytest.raises(ChangeError, match=why):
        work_out_lesson(request_, a_policy(), NOW, is_unknown=is_unknown)


def test_without_a_lesson_nothing_is_worked_out() -> None:
    request: dict[str, Any] = {"lesson": False, "ends_at": NOW}
    work_out_lesson(request, a_policy(), NOW, is_unknown=True)
    assert request == {"ends_at": NOW}


@pytest.mark.parametrize("name", ["a.example", "b.example", "..", None])
def test_a_report_says_what_the_lists_say_whatever_the_client_does(
    tmp_path: Path, name: str | None
) -> None:
    index = an_index(tmp_path, {"copied": ("malware", "domains", False, ["a.example"])})
    request: dict[str, Any] = {"name": name, "seen_in": "v0", "entries": [1], "filterd": "9"}
    add_what_lists_say(request, index)
    assert (request["seen_in"], request["filterd"]) == (index.digest.hex()[:12], __version__)
    assert [one.list for one in request["entries"]] == ["copied"] * (name == "a.example")
