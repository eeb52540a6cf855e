# SPDX-License-Identifier: Apache-2.0
"""Manual pages are made of the help, in both languages, and mandoc finds nothing wrong."""

from __future__ import annotations

import shutil
import subprocess
from typing import TYPE_CHECKING

import pytest
import typer

from filterd.cli import tree
from filterd.cli.man_pages import page
from tests.support.commands import call
from tests.support.help_texts import commands_in

if TYPE_CHECKING:
    from pathlib import Path

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
    if shutil.which("mandoc") is None:
        pytest.skip("mandoc is not installed")
    for folder in ("man1", "vi/man1"):
        files = sorted(str(one) for one in (pages / folder).iterdir())
        done = subprocess.run(
            ["mandoc", "-T", "lint", "-W", "warning", *files],
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
    assert all(one in done.out for one in words)


def test_a_group_shows_its_commands_and_no_line_is_taken_for_roff() -> None:
    shown = page("feed", WHOLE["feed",], "en")
    assert ".B trust" in shown
    for path, command in WHOLE.items():
        lines = page(" ".join(path), command, "en").splitlines()
        macros = {line.split()[0] for line in lines if line.startswith((".", "'"))}
        assert macros <= {".TH", ".SH", ".PP", ".TP", ".B"}


def test_an_unknown_command_is_told_the_next(tmp_path: Path) -> None:
    done = call("man", "alow", "--lang", "en")
    assert (done.code, done.out, len(done.error_lines)) == (2, "", 1)
    assert "did you mean 'allow'?" in done.err
    (tmp_path / "file").write_bytes(b"")
    assert "cannot be made" in call("man", "--out", tmp_path / "file", "--lang", "en").err
