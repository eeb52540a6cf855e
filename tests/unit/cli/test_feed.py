# SPDX-License-Identifier: Apache-2.0
"""All commands of the feed stand in one group."""

from __future__ import annotations

import pytest

from filterd.cli.feed import app
from tests.support.commands import call

PUBLISHERS = ("init", "build", "review", "publish", "sign", "rotate-key", "verify", "diff")


def test_the_publishers_commands_are_there_in_the_order_of_their_work() -> None:
    named = [one.name for one in app.registered_commands]
    assert [one for one in named if one in PUBLISHERS] == list(PUBLISHERS)


@pytest.mark.parametrize(
    ("lang", "title", "about"),
    [
        ("en", "Commands:", "Make the keys of a feed"),
        ("vi", "Lệnh:", "Tạo các khóa"),
    ],
)
def test_without_a_command_it_shows_them(lang: str, title: str, about: str) -> None:
    done = call("feed", "--lang", lang, "--help")
    assert done.code == 0
    assert title in done.out
    assert about in done.out
    assert max(map(len, done.out.splitlines())) <= 80


def test_an_unknown_command_is_told_in_one_line() -> None:
    done = call("feed", "pubish", "--lang", "en")
    assert (done.code, len(done.error_lines)) == (2, 1)
    assert "publish" in done.err
