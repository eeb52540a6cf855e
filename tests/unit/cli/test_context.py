# SPDX-License-Identifier: Apache-2.0

from __future__ import annotations

import inspect
import io
import json
from typing import TYPE_CHECKING, Annotated

import pytest
import typer
from rich.console import Console

from filterd import control
from filterd.base.state_folder import StateFolder
from filterd.cli import context as module
from filterd.cli.context import Context, JsonOption, Options, _losses_printed
from filterd.overrides.history import quarantine
from tests.support.commands import call
from tests.support.daemon import write_site

if TYPE_CHECKING:
    from pathlib import Path


def _school(folder: Path, name: str, language: str = "en") -> Path:
    folder.mkdir()
    text = f"school: {{name: '{name}'}}\nlanguage: {language}\n"
    (folder / "site.yaml").write_text(text, encoding="utf-8")
    return folder


@pytest.fixture
def schools(tmp_path: Path) -> dict[str, str]:
    return {name: str(_school(tmp_path / name, name)) for name in ("before", "after", "env")}


@pytest.mark.parametrize(
    ("words", "env", "expected"),
    [
        ("policy tree", "env", "env"),
        ("--config {before} policy tree", "", "before"),
        ("policy tree --config {after}", "", "after"),
        ("--config {before} policy tree", "env", "before"),
        ("policy tree --config {after}", "env", "after"),
        ("--config {before} policy tree --config {after}", "env", "after"),
    ],
)
def test_the_nearest_place_that_names_the_site_counts(
    schools: dict[str, str], words: str, env: str, expected: str
) -> None:
    changes = {"FILTERD_CONFIG": schools[env]} if env else {}
    done = call(*(one.format(**schools) for one in words.split()), **changes)
    assert done.out.splitlines()[0] == expected


@pytest.mark.parametrize("words", ["--state {folder} status", "status --state {folder}"])
def test_the_state_folder_may_be_named_before_and_after(words: str, tmp_path: Path) -> None:
    done = call(*(one.format(folder=tmp_path) for one in words.split()), FILTERD_STATE="/elsewhere")
    assert done.err.startswith(f"filterd: {tmp_path}/control.sock: ")


def test_the_environment_names_the_state_folder() -> None:
    assert "/elsewhere/control.sock" in call("status", FILTERD_STATE="/elsewhere").err


@pytest.mark.parametrize(
    ("words", "env", "site", "expected"),
    [
        ("", "", "vi", "hợp lệ"),
        ("", "", "en", "valid"),
        ("", "en", "vi", "valid"),
        ("--lang vi", "en", "en", "hợp lệ"),
    ],
)
def test_the_language_is_the_one_asked_for_else_the_sites(
    tmp_path: Path, words: str, env: str, site: str, expected: str
) -> None:
    folder = _school(tmp_path / "site", "A", site)
    changes = {"FILTERD_LANG": env} if env else {}
    done = call("policy", "validate", "--config", folder, *words.split(), **changes)
    assert expected in done.out


@pytest.mark.parametrize(
    ("text", "language"),
    [
        ("school: {name: A}\n", "vi"),
        ("language: vi\n", "vi"),
        ("language: fr\n", "en"),
        ("language: [vi]\n", "en"),
        ("language: {", "en"),
    ],
)
def test_a_site_that_cannot_be_read_gets_english(tmp_path: Path, text: str, language: str) -> None:
    (tmp_path / "site.yaml").write_text(text, encoding="utf-8")
    assert module._language(None, tmp_path) == language


def test_square_brackets_and_colons_of_a_school_are_shown_as_they_are(tmp_path: Path) -> None:
    folder = _school(tmp_path / "[bold] :smile:", "Trường [red]A[/] :smile:")
    assert call("policy", "tree", "--config", folder).out.startswith("Trường [red]A[/] :smile:\n")
    assert "[bold] :smile:" in call("policy", "validate", "--config", folder).out


def test_json_is_utf8_without_colour_or_breaks(tmp_path: Path) -> None:
    config = write_site(tmp_path / ("x" * 100), port=5353)
    done = call("policy", "validate", "--json", "--config", config, FORCE_COLOR="1")
    assert f'"path": "{config}"' in done.out
    assert "\x1b" not in done.out


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        ("policy --config {before} tree", "before"),
        ("--config {before} policy tree", "before"),
        ("--config {before} policy --config {after} tree", "after"),
        ("policy --config {before} tree --config {after}", "after"),
    ],
)
def test_a_group_takes_the_common_options_too(
    schools: dict[str, str], words: str, expected: str
) -> None:
    done = call(*(one.format(**schools) for one in words.split()), FILTERD_CONFIG=schools["env"])
    assert done.out.splitlines()[0] == expected


@pytest.mark.parametrize("words", ["room --help --lang vi", "room --lang vi --help"])
def test_the_help_of_a_group_is_in_the_language_that_is_asked_for(words: str) -> None:
    done = call(*words.split(), FILTERD_LANG="en")
    assert (done.code, done.err) == (0, "")
    assert "Cách dùng: filterd room" in done.out
    assert "--lang vi|en" in done.out


def test_options_alone_are_no_command() -> None:
    done = call("room", "--lang", "vi")
    assert (done.code, done.error_lines) == (2, ["filterd: thiếu lệnh (xem `filterd room --help`)"])


def test_every_command_takes_the_common_options_after_its_own() -> None:
    def body(here: module.Context, name: str) -> None:
        """Do it."""

    made = module.runnable(body)
    assert list(inspect.signature(made).parameters) == ["name", "given", "config", "state", "lang"]
    assert made.__doc__ == "Do it."


def _pair(
    left: Annotated[int, typer.Option(help="One.")] = 1,
    right: Annotated[int, typer.Option(help="The other.")] = 2,
) -> tuple[int, int]:
    return left, right


def _both(
    here: Context, pair: Annotated[tuple[int, int], Options(_pair)], json: JsonOption = False
) -> None:
    here.print_json({"pair": pair, "json": json, "state": str(here.state.folder)})


def test_one_argument_may_be_made_of_several_options(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    app = typer.Typer()
    app.command()(module.runnable(_both))
    app(["--right", "5", "--json", "--state", str(tmp_path)], standalone_mode=False)
    printed = json.loads(capsys.readouterr().out)
    assert printed == {"pair": [1, 5], "json": True, "state": str(tmp_path)}


def notice_of(state: StateFolder) -> str:
    shown = io.StringIO()
    with _losses_printed(state, "en", Console(file=shown, width=500)):
        pass
    return shown.getvalue()


def test_a_loss_is_reported_until_its_file_is_moved_away(tmp_path: Path) -> None:
    state = StateFolder(tmp_path)
    assert notice_of(state) == ""
    kept = quarantine.note_lost(state.overrides, 0.0)
    assert notice_of(state).startswith(f"filterd: {kept}: settings made by commands were lost")
    kept.unlink()
    assert notice_of(state) == ""


def test_what_a_daemon_has_reported_is_not_reported_again(tmp_path: Path) -> None:
    control.notices.clear()
    assert notice_of(StateFolder(tmp_path / "none")) == ""
