# SPDX-License-Identifier: Apache-2.0
"""The language is known before the arguments are parsed, whatever they are."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from filterd.base.paths import SYSTEM_CONFIG, SYSTEM_STATE
from filterd.cli import language as module
from filterd.cli.language import language_of, language_of_site
from tests.support.commands import environment


@pytest.fixture(autouse=True)
def _own_surroundings(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    for variable in ("FILTERD_CONFIG", "FILTERD_LANG", "LC_ALL", "LC_MESSAGES", "LANG"):
        monkeypatch.delenv(variable, raising=False)
    monkeypatch.chdir(tmp_path)


def a_site(folder: Path, text: str) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "site.yaml").write_text(text, encoding="utf-8")
    return folder


@pytest.mark.parametrize(
    ("words", "language"),
    [
        ("--lang vi", "vi"),
        ("status --lang vi", "vi"),
        ("status --lang=vi --json", "vi"),
        ("--lang en status --lang vi", "vi"),  # what stands last counts
        ("--lang vi status --lang en", "en"),
        ("nonsense --lang vi --more", "vi"),
        ("status --lang vi --help", "vi"),
        ("status", "en"),
        ("status --lang", "en"),
        ("status --lang fr", "en"),
        ("status --language vi", "en"),
        ("check -- --lang=vi", "en"),  # it is a name there
        ("", "en"),
    ],
)
def test_the_option_sets_the_language_wherever_it_stands(words: str, language: str) -> None:
    assert language_of(words.split()) == language


def test_the_environment_sets_the_language_where_no_option_does(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("FILTERD_LANG", "vi")
    assert language_of(["status"]) == "vi"
    assert language_of(["status", "--lang", "en"]) == "en"
    assert language_of(["status", "--lang", "fr"]) == "vi"


@pytest.mark.parametrize("variable", ["", "fr"])
def test_the_site_sets_the_language_where_nothing_else_does(
    variable: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    vietnamese = a_site(tmp_path / "vi", "language: vi\n")
    a_site(tmp_path / "policies", "language: vi\n")
    english = a_site(tmp_path / "en", "language: en\n")
    monkeypatch.setenv("FILTERD_LANG", variable)
    assert language_of(["status", "--config", str(english)]) == "en"
    assert language_of([f"--config={vietnamese}", "status"]) == "vi"
    monkeypatch.setenv("FILTERD_CONFIG", str(english))
    assert language_of(["status"]) == "en"
    assert language_of(["status", "--config", str(vietnamese)]) == "vi"


def test_without_a_site_it_is_that_of_the_system(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("LANG", "vi_VN.UTF-8")
    assert language_of(["inspect"]) == "vi"
    here = a_site(tmp_path / "site", "language: en\n")
    assert language_of(["inspect", "--config", str(here)]) == "en"
    monkeypatch.setenv("LC_ALL", "C.UTF-8")
    assert language_of(["inspect"]) == "en"


@pytest.mark.parametrize("text", ["school: {name: A}\n", "- vi\n", "{", ""])
def test_a_site_that_names_no_language_speaks_vietnamese(text: str, tmp_path: Path) -> None:
    assert language_of_site(a_site(tmp_path, text)) == "vi"


@pytest.mark.parametrize("text", ["language: fr\n", "language: [vi]\n", "language: {", "\0"])
def test_a_site_that_cannot_be_read_is_reported_in_english(text: str, tmp_path: Path) -> None:
    assert language_of(["--config", str(a_site(tmp_path, text))]) == "en"


@pytest.mark.parametrize("folder", ["/nowhere", "/dev/null", "a\0b", "/" + "a" * 300, ""])
def test_no_folder_makes_it_fail(folder: str) -> None:
    assert language_of(["status", "--config", folder]) == "en"


@pytest.mark.parametrize(
    ("text", "imported"),
    [("# vi\nlanguage: vi\r\nschool: {name: A}\n", "False"), ("{language: vi}\n", "True")],
)
def test_yaml_is_imported_only_where_no_plain_line_sets_the_language(
    text: str, imported: str, tmp_path: Path
) -> None:
    program = (
        "import sys; from filterd.cli.language import language_of\n"
        "assert language_of(['--lang', 'vi']) == 'vi'; print('yaml' in sys.modules)\n"
        "language_of(['--config', sys.argv[1]]); print('yaml' in sys.modules)"
    )
    done = subprocess.run(
        [sys.executable, "-c", program, str(a_site(tmp_path, text))],
        env=environment(),
        check=True,
        capture_output=True,
        text=True,
    )
    assert done.stdout.split() == ["False", imported]


def test_the_systems_site_comes_first_and_has_the_systems_state(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "SYSTEM_CONFIG", tmp_path)
    assert module.default_config() == tmp_path
    assert module.default_state(tmp_path) == SYSTEM_STATE
    monkeypatch.setattr(module, "SYSTEM_CONFIG", tmp_path / "none")
    assert module.default_config() == Path("policies")
    assert module.default_state(Path("policies")) == Path(".state")
    assert Path("/etc/filterd") == SYSTEM_CONFIG
