# SPDX-License-Identifier: Apache-2.0
"""``policy test`` checks the files on disk against the expectations."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from filterd import control
from filterd.errors import StoreError
from filterd.i18n import say, to_plain
from tests.support.commands import call
from tests.support.daemon import write_site

if TYPE_CHECKING:
    from pathlib import Path


def test_what_ships_meets_what_is_expected_of_it(here: list[str]) -> None:
    done = call("policy", "test", *here)
    assert (done.code, done.err) == (0, "")
    assert "expectations are met." in done.out


def test_a_school_that_opens_what_is_expected_to_be_closed_is_told(
    tmp_path: Path, here: list[str]
) -> None:
    more = "grades:\n  4: {categories: {allow: [social-media]}}\n"
    site = write_site(tmp_path / "own", port=5353, more=more)
    done = call("policy", "test", "--config", str(site), *here[2:])
    assert done.code == 1
    told = (
        "expected: www.tiktok.com is blocked for primary; but it passes for 4 (open, social-media"
    )
    assert told in done.out
    assert "primary.yaml:" in done.out
    (site / "expectations").mkdir()
    (site / "expectations" / "primary.yaml").write_text("[]\n", encoding="utf-8")
    assert call("policy", "test", "--config", str(site), *here[2:]).code == 0


def test_an_exception_of_the_school_holds_against_what_ships(
    tmp_path: Path, here: list[str]
) -> None:
    more = "exceptions:\n  - {allow: www.tiktok.com, for: {grade: 4}, reason: Bài học}\n"
    site = write_site(tmp_path / "own", port=5353, more=more)
    done = call("policy", "test", "--config", str(site), *here[2:])
    assert done.code == 0
    assert "an exception of the site: it holds" in done.out
    told = json.loads(call("policy", "test", "--json", "--config", str(site), *here[2:]).out)
    assert [one["yields"] for one in told["unmet"]] == [True]


def test_a_file_of_ones_own_can_be_tried(tmp_path: Path, here: list[str]) -> None:
    file = tmp_path / "own.yaml"
    file.write_text(
        "- www.youtube.com is blocked for room lab-a at t2 08:00\n"
        "- www.youtube.com is blocked for room library\n",
        encoding="utf-8",
    )
    done = call("policy", "test", file, "--json", *here)
    told = json.loads(done.out)
    assert (done.code, told["expectations"]) == (1, 2)
    (unmet,) = told["unmet"]
    assert (unmet["line"], unmet["found"][0]["network"]) == (2, "library")


def test_who_may_not_read_the_lists_asks_the_daemon(
    tmp_path: Path, here: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[dict[str, Any]] = []
    sentence = to_plain(say("expected: {written}", written="it"))
    problem = {"expected": "it", "path": "a", "line": 1, "yields": False, "found": []}

    def ask(_path: Path, command: str, **arguments: Any) -> Any:
        assert command == "expectations"
        asked.append(arguments)
        return {"expectations": 3, "unmet": [{**problem, "sentence": sentence}]}

    def refuse(_: object) -> None:
        raise StoreError(say("not for you"))

    monkeypatch.setattr(control, "ask", ask)
    monkeypatch.setattr("filterd.cli.expectations.open_index", refuse)
    file = tmp_path / "own.yaml"
    file.write_text("- www.youtube.com is blocked for room library at t2 08:00\n", encoding="utf-8")
    done = call("policy", "test", file, *here)
    assert (done.code, done.out) == (1, "expected: it\n1 of 3 expectations are not met.\n")
    told = json.loads(call("policy", "test", "--json", *here).out)
    assert told == {"expectations": 3, "unmet": [problem]}
    ((expected,), nothing) = (one["wanted"] for one in asked)
    assert (expected["whom"], expected["weekday"], nothing) == ("library", 0, None)


@pytest.mark.parametrize("text", ["- nonsense\n", "- a.example passes for room lab-c\n"])
def test_a_wrong_file_is_told(text: str, tmp_path: Path, here: list[str]) -> None:
    file = tmp_path / "own.yaml"
    file.write_text(text, encoding="utf-8")
    done = call("policy", "test", file, *here)
    assert (done.code, done.out) == (2, "")
    assert f"{file}:1:3: " in done.err
