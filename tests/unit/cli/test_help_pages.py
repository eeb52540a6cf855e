# SPDX-License-Identifier: Apache-2.0
"""Help of commands, and the same as manual pages."""

from __future__ import annotations

import subprocess
from functools import cache
from typing import TYPE_CHECKING, Any

import pytest
import typer
from rich.cells import cell_len

from filterd.cli import tree
from filterd.cli.help_pages import metavar_in, page, paragraphs
from filterd.texts import i18n
from filterd.texts.i18n import quoted
from tests.support import needs
from tests.support.catalogue import read
from tests.support.commands import call
from tests.support.help_texts import commands_in, help_of, help_texts, metavars_of, shown, whole

if TYPE_CHECKING:
    from pathlib import Path


TREE = whole()
ALONE = [path for path, command in TREE.items() if not hasattr(command, "commands")]
LANGUAGES = ("vi", "en")


@cache
def _page(path: tuple[str, ...], language: str, columns: int = 80) -> str:
    done = call("--lang", language, *path, "--help", COLUMNS=str(columns))
    assert (done.code, done.err) == (0, "")
    return done.out


VALUES = {("value", word) for command in TREE.values() for word in metavars_of(command)}


def translated(text: str) -> str:
    return i18n.translated(quoted(text), "vi")


def test_all_that_commands_say_of_themselves_is_in_the_catalogue() -> None:
    english = {(context, text) for text, context, _ in help_texts()}
    assert len(english) > 250
    assert english >= VALUES
    catalogue = read()
    assert [one for one in english if catalogue.get(one[1], one[0] or None) is None] == []


def test_control_a_command_without_a_vietnamese_text_would_be_noticed() -> None:
    new = typer.Typer()
    new.command("new")(lambda: None)
    command: Any = typer.main.get_command(new)
    command.help = "Do something new.\n\n    As before. Exit code 0: done; 2: an error."
    missing = {text for text in help_of(command) if text not in read()}
    assert {"Do something new.", "As before."} <= missing
    assert "Exit code 0: done; 2: an error." not in missing


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("path", TREE, ids=" ".join)
def test_no_line_is_wider_than_the_terminal(path: tuple[str, ...], language: str) -> None:
    for columns in (80, 60):
        lines = _page(path, language, columns).splitlines()
        assert [line for line in lines if cell_len(line) > columns] == []


@pytest.mark.parametrize("path", TREE, ids=" ".join)
def test_nothing_is_cut_and_all_is_in_one_language(path: tuple[str, ...]) -> None:
    command = TREE[path]
    beneath = getattr(command, "commands", {}).values()
    texts = [*paragraphs(command.help or ""), *(one.help for one in shown(command))]
    texts += [next(paragraphs(one.help or "")) for one in beneath]
    english, vietnamese = (" ".join(_page(path, one).split()) for one in ("en", "vi"))
    assert [text for text in texts if text not in english] == []
    assert [text for text in texts if translated(text) not in vietnamese] == []
    assert [text for text in texts if translated(text) != text and text in vietnamese] == []
    assert english.isascii()


def test_a_wide_terminal_does_not_make_lines_too_long_to_read() -> None:
    lines = _page(("policy", "test"), "vi", columns=200).splitlines()
    assert 60 < max(map(len, lines)) <= 80


@pytest.mark.parametrize("path", ALONE, ids=" ".join)
def test_every_command_explains_its_exit_codes(path: tuple[str, ...]) -> None:
    english, vietnamese = _page(path, "en"), _page(path, "vi")
    assert "Exit code 0: " in english
    assert "Mã thoát 0: " in vietnamese
    for code in (" 1: ", " 2: "):
        codes = " ".join(
            next(
                paragraph for paragraph in _paragraphs(english) if "Exit code" in paragraph
            ).split()
        )
        its = " ".join(
            next(
                paragraph for paragraph in _paragraphs(vietnamese) if "Mã thoát" in paragraph
            ).split()
        )
        assert (code in codes) == (code in its)


def _paragraphs(page: str) -> list[str]:
    return page.split("\n\n")


@pytest.mark.parametrize("path", TREE, ids=" ".join)
def test_titles_and_names_of_values_are_in_the_language_too(path: tuple[str, ...]) -> None:
    english, vietnamese = _page(path, "en"), _page(path, "vi")
    assert english.startswith(" ".join(("Usage: filterd", *path)) + " [OPTIONS]")
    assert vietnamese.startswith(" ".join(("Cách dùng: filterd", *path)) + " [TÙY_CHỌN]")
    for title in ("Options", "Arguments", "Commands"):
        assert (f"\n{title}:\n" in english) == (f"\n{translated(title)}:\n" in vietnamese)
    for metavar in metavars_of(TREE[path]):
        assert f"{metavar}" in english
        assert metavar_in(metavar, "vi") in vietnamese


def test_what_stands_for_a_value_is_one_word() -> None:
    values = [metavar_in(word, "vi") for _, word in VALUES]
    assert [value for value in values if " " in value] == []
    assert len(set(values)) == len(values)


def test_a_page_shows_required_options_defaults_limits_and_the_environment() -> None:
    page = " ".join(_page(("log", "top"), "vi").split())
    assert "--days N Số ngày, kể cả hôm nay. [mặc định: 7; 1-90]" in page
    assert "[bắt buộc]" in _page(("allow",), "vi")
    assert "[required]" in _page(("allow",), "en")
    assert "[environment: FILTERD_CONFIG]" in _page(("allow",), "en")


@pytest.mark.parametrize(
    ("path", "usage"),
    [
        (("undo",), "filterd undo [TÙY_CHỌN] [SỐ]\n"),
        (("policy", "test"), "filterd policy test [TÙY_CHỌN] [TỆP...]\n"),
        (("room", "set"), "filterd room set [TÙY_CHỌN] PHÒNG\n"),
        (("exam",), "filterd exam [TÙY_CHỌN] LỆNH [THAM_SỐ]\n"),
    ],
)
def test_an_argument_has_one_name_and_brackets_where_it_may_be_left_out(
    path: tuple[str, ...], usage: str
) -> None:
    assert usage in _page(path, "vi")


def test_without_a_command_the_help_is_in_the_language_too() -> None:
    done = call("room", FILTERD_LANG="vi")
    assert done.code == 2
    assert done.err.startswith("Cách dùng: filterd room")


WHOLE = commands_in(typer.main.get_command(tree.whole()))


@pytest.fixture(scope="module")
def pages(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("man")
    assert call("man", "--out", folder).code == 0
    return folder


@pytest.mark.parametrize("folder", ["man1", "vi/man1"])
def test_each_command_has_a_page(pages: Path, folder: str) -> None:
    written = {one.name for one in (pages / folder).iterdir()}
    assert written == {"-".join(("filterd", *path)) + ".1" for path in WHOLE}


def test_mandoc_finds_nothing_wrong(pages: Path) -> None:
    for folder in ("man1", "vi/man1"):
        files = sorted(str(one) for one in (pages / folder).iterdir())
        done = subprocess.run(
            [needs.command("mandoc"), "-T", "lint", "-W", "warning", *files],
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.stdout == ""


@pytest.mark.parametrize(
    ("language", "words"),
    [("en", (".SH OPTIONS", ".B \\-\\-until TIME")), ("vi", (".SH TÙY CHỌN", "THỜI_GIAN"))],
)
def test_a_page_is_printed_in_the_language_of_the_reader(
    language: str, words: tuple[str, ...]
) -> None:
    done = call("man", "allow", "--lang", language)
    assert (done.code, done.err) == (0, "")
    assert done.out.startswith('.TH "FILTERD-ALLOW" 1 ')
    assert all(word in done.out for word in words)


def test_a_group_shows_its_commands_and_no_line_is_taken_for_roff() -> None:
    shown = page("feed", WHOLE["feed",], "en")
    assert ".B trust" in shown
    for path, command in WHOLE.items():
        lines = page(" ".join(path), command, "en").splitlines()
        macros = {line.split()[0] for line in lines if line.startswith((".", "'"))}
        assert macros <= {".TH", ".SH", ".PP", ".TP", ".B"}


def test_the_error_of_an_unknown_command_names_the_nearest(tmp_path: Path) -> None:
    done = call("man", "alow", "--lang", "en")
    assert (done.code, done.out, len(done.error_lines)) == (2, "", 1)
    assert "did you mean 'allow'?" in done.err
    (tmp_path / "file").write_bytes(b"")
    assert "cannot be made" in call("man", "--out", tmp_path / "file", "--lang", "en").err
