# SPDX-License-Identifier: Apache-2.0
"""Services are listed and shown, with the grades that may use them now."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

from tests.support.commands import call

if TYPE_CHECKING:
    from tests.support.fake_daemon import FakeDaemon


def test_services_are_listed_within_80_columns(here: list[str], daemon: FakeDaemon) -> None:
    shown = call("services", "list", "--grade", "6", *here).out
    assert max(map(len, shown.splitlines())) <= 80
    (row,) = [line.split() for line in shown.splitlines() if line.startswith(" youtube ")]
    assert row[-3:] == ["streaming", "13", "closed"]
    assert daemon.commands() == ["overrides"]


def test_those_of_one_category_are_listed(here: list[str], daemon: FakeDaemon) -> None:
    told = json.loads(call("services", "list", "--group", "streaming", "--json", *here).out)
    assert {one["group"] for one in told} == {"streaming"}
    assert len(daemon.asked) == 1


def test_a_service_is_shown_with_its_names_and_who_may_use_it(
    here: list[str], daemon: FakeDaemon
) -> None:
    before = call("services", "show", "youtube", *here).out
    assert "youtube.com" in before.split()
    assert "  8-12, continuing, staff" in before
    call("policy", "set", "--grade", "7", "--allow-service", "youtube", *here)
    assert "  7-12, continuing, staff" in call("services", "show", "youtube", *here).out
    told = json.loads(call("services", "show", "youtube", "--json", *here).out)
    assert (told["grades"]["6"], told["grades"]["7"]) == ("closed", "open")
    assert len(daemon.store.current().grades) == 1


@pytest.mark.parametrize(
    ("words", "why"),
    [
        ("show youtub", "'youtub' is not a service (did you mean 'youtube'?)"),
        ("list --group streming", "'streming' is not a category (did you mean 'streaming'?)"),
        ("list --grade 13", "'13' is not a grade"),
    ],
)
def test_unknown_words_get_a_hint(
    words: str, why: str, here: list[str], daemon: FakeDaemon
) -> None:
    done = call("services", *words.split(), *here)
    assert (done.code, len(done.error_lines)) == (2, 1)
    assert why in done.err
    assert set(daemon.commands()) <= {"overrides"}
