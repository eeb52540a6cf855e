# SPDX-License-Identifier: Apache-2.0
"""A command is found by what it does, in the words and the letters that a person has at hand."""

from __future__ import annotations

import json
import subprocess
import sys

import pytest

from filterd.cli import tree
from filterd.cli.help_search import commands_with
from tests.support.commands import call


@pytest.mark.parametrize(
    ("words", "first"),
    [
        ("thời khóa biểu", "room show"),
        ("thoi khoa bieu bang", "timetable import"),
        ("THOI KHOA BIEU BANG", "timetable import"),
        ("sao luu", "backup"),
        ("backup", "backup"),
        ("exam start", "exam start"),
        ("start exam", "exam start"),
        ("áp phích", "poster"),
        ("substitute", "class lend"),
    ],
)
def test_the_nearest_command_comes_first(words: str, first: str) -> None:
    assert commands_with(words.split())[0] == first
    assert commands_with([words])[0] == first, "quoted, or not"


def test_what_is_in_a_name_is_nearer_than_what_is_in_a_help() -> None:
    found = commands_with(["undo"])
    assert found[:2] == ["undo", "policy undo"]
    assert len(found) > 2


def test_each_of_the_words_must_be_there() -> None:
    assert commands_with(["backup"])
    assert commands_with(["backup", "xyzzy"]) == []


def test_without_words_there_are_all_commands_in_the_order_of_the_help() -> None:
    assert commands_with([]) == [name for name, _ in tree.helps()]
    assert commands_with(["?!"]) == commands_with([])


@pytest.mark.parametrize(
    ("language", "about"),
    [("en", "Make a new self-made certificate"), ("vi", "Tạo chứng chỉ tự ký")],
)
def test_what_is_found_is_told_in_the_language_of_the_reader(language: str, about: str) -> None:
    done = call("help", "cert", "make", "--lang", language)
    assert done.code == 0
    assert "cert make" in done.out
    assert about in done.out
    assert "--help" in done.out
    assert max(map(len, done.out.splitlines())) <= 80


def test_nothing_found_is_a_sentence_and_exit_code_1() -> None:
    done = call("help", "xyzzy", "--lang", "en")
    assert (done.code, done.out) == (1, "no command has 'xyzzy' in its help\n")
    assert done.err == ""


def test_a_script_reads_names_and_summaries() -> None:
    done = call("help", "cert", "make", "--json", "--lang", "en")
    (row,) = json.loads(done.out)
    assert row["command"] == "cert make"


def test_no_module_of_a_command_is_imported_for_it() -> None:
    program = "import sys; from filterd.cli.help_search import commands_with; "
    program += "commands_with(['room']); print('filterd.cli.school.room' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, check=True)
    assert done.stdout == b"False\n"
