# SPDX-License-Identifier: Apache-2.0
"""``filterd requests``."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from filterd import control
from filterd.state_file import to_plain
from tests.support.commands import SAMPLE, call
from tests.unit.overrides.test_review_requests import ONE

if TYPE_CHECKING:
    from pathlib import Path

REQUEST = to_plain(ONE) | {"id": 3}


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch) -> list[tuple[str, dict[str, Any]]]:
    found = list[tuple[str, dict[str, Any]]]()
    results = {
        "requests list": [REQUEST],
        "requests approve": {
            "number": 7,
            "until": None,
            "in_force_ms": 4.0,
            "request": REQUEST,
            "audience": "class",
            "whom": "6A",
        },
        "requests refuse": {"request": REQUEST},
        "clock": {"policy_time": 1_764_550_800.0, "standing": "sure"},
    }

    def ask(_: Path, command: str, **arguments: Any) -> Any:
        found.append((command, arguments))
        return results[command]

    monkeypatch.setattr(control, "ask", ask)
    return found


def _call(*words: str) -> str:
    done = call("requests", *words, "--config", SAMPLE, "--lang", "en")
    assert (done.code, done.err) == (0, "")
    return done.out


@pytest.mark.usefixtures("asked")
def test_requests_are_listed() -> None:
    row = _call("list").splitlines()[-2].split()
    assert row == ["3", "a.example", "class", "6A", "for", "a", "lesson", "02/03/2026", "1"]
    assert json.loads(_call("list", "--json")) == [REQUEST]


def test_to_approve_opens_the_name_for_a_time(asked: list[tuple[str, dict[str, Any]]]) -> None:
    out = _call("approve", "3", "--reason", "Bài 12", "--lesson")
    assert out.startswith("Change 7: allow a.example for class 6A\n")
    given = {"id": 3, "reason": "Bài 12", "for_tier": False, "lesson": True}
    assert ("requests approve", given) in asked
    done = call("requests", "approve", "3", "--reason", "x", "--config", SAMPLE, "--lang", "en")
    assert (done.code, "the duration is missing" in done.err) == (2, True)


def test_to_refuse_names_a_reason(asked: list[tuple[str, dict[str, Any]]]) -> None:
    assert _call("refuse", "3", "--reason", "không cần") == "request 3 is refused\n"
    assert asked == [("requests refuse", {"id": 3, "reason": "không cần"})]
    assert json.loads(_call("refuse", "3", "--reason", "x", "--json")) == {"request": REQUEST}
