# SPDX-License-Identifier: Apache-2.0
"""A command is found by its name, and only its module is imported."""

from __future__ import annotations

import subprocess
import sys
from typing import Any

import pytest
import typer

from filterd.cli import tree
from tests.support.commands import call, environment
from tests.support.help_texts import commands_in

WHOLE = commands_in(typer.main.get_command(tree.whole()))
ALONE = [path for path, command in WHOLE.items() if not hasattr(command, "commands")]
PUBLISHERS = ("init", "build", "review", "publish", "sign", "rotate-key", "verify", "diff")
HEAVY = {"pydantic", "sqlite3", "tuf", "securesystemslib", "requests"}


def _found(*words: str) -> dict[tuple[str, ...], Any]:
    return commands_in(typer.main.get_command(tree.of(words)))


@pytest.mark.parametrize("path", ALONE, ids=" ".join)
def test_a_command_that_is_called_is_there_alone_and_the_same(path: tuple[str, ...]) -> None:
    found = _found("--lang", "en", *path, "--help")
    assert [one for one in found if not hasattr(found[one], "commands")] == [path]
    same, other = found[path], WHOLE[path]
    assert same.help == other.help
    assert [param.opts for param in same.params] == [param.opts for param in other.params]


@pytest.mark.parametrize("words", [(), ("--help",), ("nonsense",), ("--lang", "en")])
def test_words_that_call_no_command_have_the_summaries_of_all(words: tuple[str, ...]) -> None:
    found = _found(*words)
    assert list(found) == list(WHOLE)
    assert {path: one.help for path, one in found.items()} == {
        path: one.help for path, one in WHOLE.items()
    }


@pytest.mark.parametrize(
    ("words", "meant"),
    [
        ("inspect", "inspect make"),
        ("--lang vi inspect --out a.json", "--lang vi inspect make --out a.json"),
        ("inspect verify a.json", "inspect verify a.json"),
        ("inspect make", "inspect make"),
        ("inspect --help", "inspect --help"),
        ("feed", "feed"),
        ("status", "status"),
        ("", ""),
    ],
)
def test_inspect_alone_makes_a_record(words: str, meant: str) -> None:
    assert tree.completed(words.split()) == meant.split()


def test_a_group_has_the_summaries_of_its_commands() -> None:
    assert list(_found("feed", "--help")) == [path for path in WHOLE if path[:1] in {(), ("feed",)}]


def test_the_publishers_commands_are_in_the_order_of_their_work() -> None:
    named = [path[1] for path in ALONE if path[0] == "feed"]
    assert [one for one in named if one in PUBLISHERS] == list(PUBLISHERS)


@pytest.mark.parametrize("words", [["chek"], ["feed", "pubish"], ["feed", "--lang=en", "pubish"]])
def test_a_wrong_command_is_answered_with_what_was_perhaps_meant(words: list[str]) -> None:
    done = call(*words, FILTERD_LANG="en")
    assert (done.code, len(done.error_lines)) == (2, 1)
    assert words[-1] in done.err
    assert "check" in done.err or "publish" in done.err


@pytest.mark.parametrize(
    ("lang", "title", "about"),
    [("en", "Commands:", "Make the keys of a feed"), ("vi", "Lệnh:", "Tạo các khóa")],
)
def test_the_help_of_a_group_shows_its_commands(lang: str, title: str, about: str) -> None:
    done = call("feed", "--lang", lang, "--help")
    assert done.code == 0
    assert title in done.out
    assert about in done.out
    assert max(map(len, done.out.splitlines())) <= 80


def _loaded(*words: str) -> set[str]:
    code = f"from filterd.cli import tree; tree.of({words!r}); import sys; print(*sys.modules)"
    done = subprocess.run(
        [sys.executable, "-c", code], env=environment(), capture_output=True, text=True, check=True
    )
    return set(done.stdout.split())


@pytest.mark.parametrize("words", [(), ("feed", "--help"), ("clock", "accept"), ("serve",)])
def test_what_is_not_called_is_not_imported(words: tuple[str, ...]) -> None:
    assert not _loaded(*words) & {
        *HEAVY,
        "yaml",
        "filterd.cli.lists.lists",
        "filterd.cli.feed.feed_keys",
    }


def test_looking_at_the_feed_imports_neither_tuf_nor_the_web() -> None:
    assert not _loaded("feed", "status") & {"tuf", "securesystemslib", "requests"}


@pytest.mark.parametrize("words", [("status",), ("alerts", "list"), ("clock", "accept")])
def test_a_command_without_names_brings_no_dns_messages(words: tuple[str, ...]) -> None:
    assert not _loaded(*words) & {"filterd.wire.codec", "filterd.lists.lookalikes"}


def test_control_other_commands_bring_them() -> None:
    assert {"yaml", "filterd.cli.lists.lists"} <= _loaded("lists", "status")
    assert {"tuf", "filterd.cli.feed.feed_keys"} <= _loaded("feed", "init")
