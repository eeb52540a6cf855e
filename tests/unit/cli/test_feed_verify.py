# SPDX-License-Identifier: Apache-2.0
"""A publication is looked at as a new school sees it, in a folder or on a server."""

from __future__ import annotations

import json
import shutil
from typing import TYPE_CHECKING

import pytest

from tests.support.feed_desk import widest
from tests.support.publisher import served

if TYPE_CHECKING:
    from pathlib import Path

    from tests.support.clock import FakeClock
    from tests.support.feed_desk import Desk

DAY_S = 86_400.0


@pytest.mark.parametrize(
    ("lang", "words"),
    [
        (
            "en",
            ("Version 2: all files match their signatures", "Fingerprint", "15/01/2028", "Days"),
        ),
        ("vi", ("Phiên bản 2: đúng như đã ký", "Dấu vân tay", "15/01/2028", "Số ngày")),
    ],
)
def test_what_is_good_is_told_with_the_term_of_each_role(
    desk: Desk, lang: str, words: tuple[str, ...]
) -> None:
    done = desk.call("verify", desk.public, lang=lang)
    assert (done.code, done.err) == (0, "")
    assert [one for one in words if one not in done.out] == []
    assert widest(done) <= 80


def test_a_script_is_told_the_same(desk: Desk, evening: FakeClock) -> None:
    told = json.loads(desk.call("verify", desk.public, "--json").out)
    assert (told["version"], told["lists"], told["orders"], told["urgent"]) == (2, 2, 0, 0)
    assert told["issued_at"] == evening.wall()
    assert told["expiries"]["snapshot"] == evening.wall() + 90 * DAY_S


def test_an_empty_publication_is_good_and_told(new_desk: Desk) -> None:
    new_desk.init()
    done = new_desk.call("verify", new_desk.public)
    assert (done.code, done.error_lines) == (0, ["warning: nothing has been published yet"])


def test_a_term_that_ends_soon_is_told_by_the_exit_code(desk: Desk, evening: FakeClock) -> None:
    evening.advance(24 * DAY_S)
    done = desk.call("verify", desk.public)
    assert (done.code, done.error_lines) == (
        1,
        [
            "warning: the role timestamp is valid for 6 days more: publish again (feed"
            " publish REPO)",
        ],
    )


def test_a_publication_is_looked_at_where_it_is_served(desk: Desk) -> None:
    with served(desk.public) as server:
        done = desk.call("verify", server.url, "--root", desk.root)
    assert (done.code, done.err) == (0, "")
    assert "Version 2: all files match their signatures" in done.out


def test_whose_feed_it_is_must_be_said_of_an_address(desk: Desk) -> None:
    done = desk.call("verify", "https://feed.example/")
    assert (done.code, done.error_lines) == (
        2,
        [
            "filterd: the publisher's root is needed to verify a feed "
            "(--root ROOT.json, the file that schools get)"
        ],
    )


def _without_a_target(desk: Desk) -> None:
    next((desk.public / "targets" / "lists").iterdir()).unlink()


def _damaged(desk: Desk) -> None:
    path = next((desk.public / "targets" / "lists").iterdir())
    path.write_bytes(path.read_bytes()[:-1] + b"?")


def _of_another(desk: Desk) -> None:
    shutil.rmtree(desk.folder / "feed")
    desk.init()
    shutil.copy(desk.root, desk.folder / "another.json")


def _without_a_root(desk: Desk) -> None:
    desk.root.unlink()


def _with_a_root_that_is_none(desk: Desk) -> None:
    desk.root.write_text("{}")


def _without_a_timestamp(desk: Desk) -> None:
    (desk.public / "metadata" / "timestamp.json").unlink()


@pytest.mark.parametrize(
    ("harm", "code", "why"),
    [
        (_without_a_target, 31, "not found"),
        (_damaged, 44, "the files do not match their signatures"),
        (_without_a_timestamp, 31, "not found"),
        (_without_a_root, 2, "root.json: cannot be read: No such file"),
        (_with_a_root_that_is_none, 45, "root.json: this is not a feed's root"),
    ],
)
def test_what_is_wrong_is_told_in_one_line(
    desk: Desk,
    harm: object,
    code: int,
    why: str,
) -> None:
    assert callable(harm)
    harm(desk)
    done = desk.call("verify", desk.public)
    assert (done.code, len(done.error_lines), done.out) == (code, 1, ""), done
    assert why in done.err


def test_a_publication_that_others_have_signed_is_not_trusted(desk: Desk, tmp_path: Path) -> None:
    shutil.copy(desk.root, tmp_path / "ours.json")
    _of_another(desk)
    done = desk.call("verify", desk.public, "--root", tmp_path / "ours.json")
    assert (done.code, len(done.error_lines)) == (41, 1)


def test_a_clock_that_is_behind_judges_no_term_and_that_is_told(
    desk: Desk, evening: FakeClock
) -> None:
    evening.set_wall(-3000 * DAY_S)
    done = desk.call("verify", desk.public)
    assert (done.code, done.error_lines) == (
        1,
        ["warning: the clock of this machine is behind; expiry dates were not checked"],
    )


def test_an_expired_publication_is_told(desk: Desk, evening: FakeClock) -> None:
    evening.advance(40 * DAY_S)
    done = desk.call("verify", desk.public, lang="vi")
    assert (done.code, len(done.error_lines)) == (43, 1)
    assert "đã quá lâu không có bản mới được ký" in done.err


@pytest.mark.parametrize(
    ("source", "code"), [("nowhere", 2), ("https://", 2), ("ftp://feed.example/", 2)]
)
def test_what_is_no_publication_is_told_in_one_line(desk: Desk, source: str, code: int) -> None:
    done = desk.call("verify", source, "--root", desk.root)
    assert (done.code, len(done.error_lines)) == (code, 1), done
