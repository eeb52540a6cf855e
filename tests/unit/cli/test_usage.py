# SPDX-License-Identifier: Apache-2.0
"""Usage errors are in the user's language, with a hint to the help."""

from __future__ import annotations

import pytest
import typer

from filterd.cli import tree
from filterd.cli.usage import SENTENCES, command_in, said
from tests.support.catalogue import PLACEHOLDER
from tests.support.commands import call

WRONG = [
    (
        "nonsense",
        "No such command 'nonsense' (see `filterd --help`)",
        "không có lệnh 'nonsense' (xem `filterd --help`)",
    ),
    (
        "room shw",
        "No such command 'shw'; did you mean 'show'? (see `filterd room --help`)",
        "không có lệnh 'shw'; có phải là 'show' không? (xem `filterd room --help`)",
    ),
    (
        "status --nonsense",
        "No such option: --nonsense (see `filterd status --help`)",
        "không có tùy chọn --nonsense (xem `filterd status --help`)",
    ),
    (
        "status --jsn",
        "No such option: --jsn; did you mean --json? (see `filterd status --help`)",
        "không có tùy chọn --jsn; có phải là --json không? (xem `filterd status --help`)",
    ),
    (
        "room show",
        "Missing argument 'ROOM' (see `filterd room show --help`)",
        "thiếu tham số 'PHÒNG' (xem `filterd room show --help`)",
    ),
    (
        "allow a.example",
        "Missing option '--reason' (see `filterd allow --help`)",
        "thiếu tùy chọn '--reason' (xem `filterd allow --help`)",
    ),
    (
        "room show a b c",
        "unexpected extra argument: b c (see `filterd room show --help`)",
        "thừa tham số: b c (xem `filterd room show --help`)",
    ),
    (
        "log totals --days",
        "Option '--days' requires an argument (see `filterd log totals --help`)",
        "tùy chọn '--days' cần có giá trị (xem `filterd log totals --help`)",
    ),
    (
        "policy diff --between 1",
        "Option '--between' requires 2 arguments (see `filterd policy diff --help`)",
        "tùy chọn '--between' cần 2 giá trị (xem `filterd policy diff --help`)",
    ),
    (
        "status --json=3",
        "Option '--json' takes no value (see `filterd status --help`)",
        "tùy chọn '--json' không nhận giá trị (xem `filterd status --help`)",
    ),
    (
        "log totals --days x",
        "'--days' has a wrong value: it must be a whole number (see `filterd log totals --help`)",
        "giá trị của '--days' sai: phải là số nguyên (xem `filterd log totals --help`)",
    ),
    (
        "log totals --days 0",
        "'--days' has a wrong value: it must be 1 or more (see `filterd log totals --help`)",
        "giá trị của '--days' sai: phải từ 1 trở lên (xem `filterd log totals --help`)",
    ),
    (
        "log totals --days 801",
        "'--days' has a wrong value: it must be 800 or less (see `filterd log totals --help`)",
        "giá trị của '--days' sai: không được quá 800 (xem `filterd log totals --help`)",
    ),
    (
        "undo last",
        "'NUMBER' has a wrong value: it must be a whole number (see `filterd undo --help`)",
        "giá trị của 'SỐ' sai: phải là số nguyên (xem `filterd undo --help`)",
    ),
]


@pytest.mark.parametrize(("words", "english", "vietnamese"), WRONG, ids=[one[0] for one in WRONG])
def test_wrong_words_are_told_in_both_languages(words: str, english: str, vietnamese: str) -> None:
    for language, line in (("en", english), ("vi", vietnamese)):
        done = call(*words.split(), FILTERD_LANG=language)
        assert done == (2, "", f"filterd: {line}\n")


def test_words_of_ones_own_are_said_again_as_they_stand() -> None:
    assert said("No such command 'FILE'.", "vi") == "không có lệnh 'FILE'"
    assert said("No such option: --{x}", "vi") == "không có tùy chọn --{x}"


def test_what_nobody_knows_is_said_as_it_is() -> None:
    assert said("Something new.", "vi") == "Something new."


@pytest.mark.parametrize(
    ("words", "command"),
    [
        ("", "filterd"),
        ("nonsense", "filterd"),
        ("--lang vi log totals --days", "filterd log totals"),
        ("room nonsense", "filterd room"),
        ("check check", "filterd check"),
        ("--config check xyz", "filterd"),
        ("policy nonsense validate", "filterd policy"),
    ],
)
def test_the_command_that_was_meant_is_found_in_its_words(words: str, command: str) -> None:
    assert command_in(tree.names_in(words.split()), typer.main.get_command(tree.whole())) == command


LEFT_OUT = {"more", "number"}
"""What only shows how a sentence of Typer goes on."""


@pytest.mark.parametrize("typers", SENTENCES)
def test_what_was_given_is_said_again(typers: str) -> None:
    ours = SENTENCES[typers].template
    given = set(PLACEHOLDER.findall(ours))
    assert given <= set(PLACEHOLDER.findall(typers))
    assert set(PLACEHOLDER.findall(typers)) - given <= LEFT_OUT
    assert not typers.endswith(".")
    assert not ours.endswith(".")


def test_what_adds_to_a_sentence_stands_before_the_sentences() -> None:
    adding = [one.startswith("{sentence}") for one in SENTENCES]
    assert adding == sorted(adding, reverse=True)
