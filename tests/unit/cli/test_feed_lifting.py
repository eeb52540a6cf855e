# SPDX-License-Identifier: Apache-2.0
"""A hold is shown and released with two root keys, and not by mistake."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

from filterd.errors import GuardError
from filterd.feed.guard.guard_report import Severity, found
from filterd.feed.released_holds import FILE
from filterd.i18n import say
from filterd.publish import hold_release

if TYPE_CHECKING:
    from pathlib import Path

    from tests.support.commands import Outcome
    from tests.support.feed_desk import Desk

WHY = say("{table}: {count} of {had} entries would go or change: {names}",
          table="pins", count=1, had=82, names="old.example")  # fmt: skip
LOST = found("tables", Severity.HELD, WHY, ["old.example"], ["-pins old.example"])


@pytest.fixture
def holding(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> Desk:
    """A publisher of a version that schools hold."""
    monkeypatch.setattr(hold_release, "_judged", lambda *_: [LOST])
    return desk


def release(desk: Desk, *words: str | Path, lang: str = "en") -> Outcome:
    return desk.call("release-hold", desk.public, *words, lang=lang)


def signed(desk: Desk) -> Path:
    return desk.public / "metadata" / FILE


def test_what_is_held_is_released_once_for_all_reasons(holding: Desk) -> None:
    done = release(holding, "--reason", "retired")
    assert (done.code, done.err) == (0, "")
    assert "pins: 1 of 82 entries" in done.out
    assert "Version 2 is released" in done.out
    [one] = json.loads(signed(holding).read_bytes())["signed"]["releases"]
    assert one["findings"] == {"tables": ["-pins old.example"]}
    assert (one["version"], one["reason"]) == (2, "retired")


def test_it_is_told_in_vietnamese(holding: Desk) -> None:
    done = release(holding, "--reason", "x", lang="vi")
    assert "Đã cho phép áp dụng phiên bản 2" in done.out
    assert "sẽ mất hoặc bị thay đổi" in done.out


def test_who_only_looks_signs_nothing(holding: Desk) -> None:
    done = release(holding, "--look", "--json")
    assert done.code == 0
    told = json.loads(done.out)
    assert (told["released"], [one["kind"] for one in told["findings"]]) == (False, ["tables"])
    assert not signed(holding).exists()


def test_without_a_reason_or_two_keys_nothing_is_signed(holding: Desk) -> None:
    assert release(holding).code == 2
    key = holding.keys / "offline" / "root-2" / "root-2.pem"
    done = release(holding, "--reason", "x", "--root-key", key)
    assert (done.code, len(done.error_lines)) == (20, 1)
    assert not signed(holding).exists()


def test_where_nothing_is_held_there_is_nothing_to_sign(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(hold_release, "_judged", lambda *_: [])
    done = release(desk, "--reason", "x")
    assert done.code == 1
    assert "nothing in version 2" in done.out
    assert not signed(desk).exists()


def test_what_schools_refuse_no_key_releases(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object) -> None:
        raise GuardError(say("nothing was found"))

    monkeypatch.setattr(hold_release, "_judged", refuse)
    done = release(desk, "--reason", "x")
    assert (done.code, signed(desk).exists()) == (50, False)


def test_a_release_outlasts_the_publications_after_it(holding: Desk) -> None:
    release(holding, "--reason", "one")
    for _ in range(10):
        assert holding.publish().code == 0
    assert signed(holding).exists()
    release(holding, "--reason", "two")
    data = json.loads(signed(holding).read_bytes())["signed"]
    assert ([one["reason"] for one in data["releases"]], data["version"]) == (["one", "two"], 2)
