# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from filterd import control
from tests.support.commands import call
from tests.support.policies import wire

if TYPE_CHECKING:
    from pathlib import Path

WHY = ["--reason", "asked", "--lang", "en"]


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch) -> list[Any]:
    requests: list[Any] = []

    def ask(_: Path, command: str, **request: Any) -> dict[str, Any]:
        requests.append((command, request))
        return {"removed": "name", "rows": 3, "unreadable": ["2025-11-30"]}

    monkeypatch.setattr(control, "ask", ask)
    return requests


@pytest.mark.parametrize(
    ("words", "request_"),
    [
        (["--name", "a.example"], {"name": wire("a.example").hex(), "match": "exact"}),
        (["--name", "*.a.example"], {"name": wire("a.example").hex(), "match": "subtree"}),
        (["--device", "02:00:5e:10:00:01"], {"device": "02:00:5e:10:00:01"}),
        (["--day", "2025-11-30"], {"day": "2025-11-30"}),
    ],
)
def test_one_thing_is_removed(
    tmp_path: Path, asked: list[Any], words: list[str], request_: dict[str, str]
) -> None:
    done = call("log", "forget", *words, *WHY, "--state", tmp_path)
    assert asked == [("log forget", {**request_, "reason": "asked"})]
    assert done.code == 0
    assert "It is not in the log any more; 3 rows were removed." in done.out
    assert "removed whole: 2025-11-30" in done.out


def test_all_is_removed(tmp_path: Path, asked: list[Any]) -> None:
    call("log", "purge", *WHY, "--state", tmp_path)
    assert asked == [("log purge", {"reason": "asked"})]


@pytest.mark.parametrize("words", [[], ["--name", "a.example", "--day", "today"]])
def test_nothing_or_two_things_are_refused(
    tmp_path: Path, asked: list[Any], words: list[str]
) -> None:
    done = call("log", "forget", *words, *WHY, "--state", tmp_path)
    assert (done.code, asked) == (2, [])
    assert "name one thing" in done.err


def test_a_reason_is_needed(tmp_path: Path, asked: list[Any]) -> None:
    assert call("log", "purge", "--state", tmp_path).code == 2
    assert asked == []
