# SPDX-License-Identifier: Apache-2.0
"""Levels of the log are shown, set, and confirmed by a second person."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

from tests.support.commands import call

if TYPE_CHECKING:
    from tests.support.fake_daemon import FakeDaemon

FULL = ("log", "level", "full", "--tier", "primary", "--for", "3d", "--reason", "điều tra")


def test_without_a_level_those_of_all_tiers_are_shown(here: list[str], daemon: FakeDaemon) -> None:
    shown = call("log", "level", *here)
    assert (shown.code, daemon.commands()) == (0, ["overrides"])
    assert ["primary", "counts", "site.yaml"] in [line.split() for line in shown.out.splitlines()]


def test_a_level_is_set_for_a_time(here: list[str], daemon: FakeDaemon) -> None:
    words = ("--tier", "primary", "--until", "17:00", "--reason", "thử")
    done = call("log", "level", "names", *words, *here)
    assert "Change 1: log level names for primary until 17:00" in done.out
    assert call("undo", *here).code == 0
    done = call("log", "level", "off", "--reason", "hè", *here)
    assert "Change 3: log level off for all tiers" in done.out
    assert [one.level for one in daemon.store.current().log_settings] == ["off"]


def test_full_names_the_command_that_confirms_it_and_is_shown_with_both_people(
    here: list[str], daemon: FakeDaemon
) -> None:
    done = call(*FULL, *here)
    assert "waits for a second person to confirm it: filterd log confirm 1" in " ".join(
        done.out.split()
    )
    waits = call("log", "level", *here)
    assert "filterd log confirm 1" in " ".join(waits.out.split())
    daemon.author = "minh"
    confirmed = call("log", "confirm", "1", *here)
    assert "Change 2: the level full is confirmed until 08:00 04/12/2025 (Thu)" in confirmed.out
    told = json.loads(call("log", "level", "--json", *here).out)
    (row,) = (one for one in told["tiers"] if one["tier"] == "primary")
    assert (row["level"], row["setting"]["author"]) == ("full", "lan")
    assert row["setting"]["confirmed_by"] == "minh"
    assert told["waiting"] == []
    assert "confirmed by minh" in " ".join(call("history", "list", *here).out.split())


@pytest.mark.parametrize("lang", ["vi", "en"])
def test_the_levels_fit_into_80_columns(here: list[str], daemon: FakeDaemon, lang: str) -> None:
    call(*FULL, *here)
    daemon.author = "minh"
    call("log", "confirm", "1", *here)
    lines = call("log", "level", *here, "--lang", lang).out.splitlines()
    assert max(map(len, lines)) <= 80


@pytest.mark.parametrize(
    ("words", "problem"),
    [
        (("--tier", "primary"), "the level is missing"),
        (("full", "--reason", "thử"), "lasts 7 days at most"),
        (("names", "--for", "3d", "--tier", "6A", "--reason", "thử"), "'6A' is not a tier"),
        (("off",), "a reason is missing"),
    ],
)
def test_what_cannot_be_is_refused_in_one_line(
    here: list[str], daemon: FakeDaemon, words: tuple[str, ...], problem: str
) -> None:
    done = call("log", "level", *words, *here)
    assert (done.code, len(done.err.splitlines())) == (2, 1)
    assert problem in done.err
    assert daemon.store.current().log_settings == ()
