# SPDX-License-Identifier: Apache-2.0
"""A plain ``serve`` needs no Typer, and has the same meaning with it."""

from __future__ import annotations

import gc
import os
import signal
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING
from unittest import mock

import pytest

from filterd.cli import app, entry
from filterd.cli.entry import Plain, read_plain
from filterd.daemon import main
from tests.support.commands import ROOT, environment

if TYPE_CHECKING:
    from collections.abc import Iterator

SITE = ("--config", "/s", "--state", "/d")


@pytest.fixture(autouse=True)
def _own_surroundings(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    for variable in ("FILTERD_CONFIG", "FILTERD_STATE", "FILTERD_LANG"):
        monkeypatch.delenv(variable, raising=False)
    yield
    gc.enable()


@pytest.mark.parametrize(
    ("words", "plain"),
    [
        (SITE, Plain(Path("/s"), Path("/d"), "en", False)),
        (("--try", *SITE, "--lang", "vi"), Plain(Path("/s"), Path("/d"), "vi", True)),
        (("--config=/s", "--state=/d", "--lang=en"), Plain(Path("/s"), Path("/d"), "en", False)),
        (("--config", "/a", *SITE), Plain(Path("/s"), Path("/d"), "en", False)),
    ],
)
def test_a_serve_in_its_usual_form_is_understood(words: tuple[str, ...], plain: Plain) -> None:
    assert read_plain(["serve", *words]) == plain


@pytest.mark.parametrize(
    "words",
    [
        "",
        "status",
        "--config /s serve",
        "serve --help",
        "serve --lang fr",
        "serve --config",
        "serve --config=",
        "serve --config --try",
        "serve somewhere",
        "serve --try=yes",
        "serve --conf /s",
    ],
)
def test_whatever_else_is_left_to_the_command_line(words: str) -> None:
    assert read_plain(words.split()) is None


def test_what_is_not_given_comes_from_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FILTERD_CONFIG", "/from-env")
    monkeypatch.setenv("FILTERD_STATE", "")  # as good as none
    monkeypatch.setenv("FILTERD_LANG", "en")
    assert read_plain(["serve"]) == Plain(Path("/from-env"), Path(".state"), "en", False)
    assert read_plain(["serve", *SITE]) == Plain(Path("/s"), Path("/d"), "en", False)
    monkeypatch.setenv("FILTERD_LANG", "fr")
    assert read_plain(["serve"]) is None


def test_the_language_is_that_of_the_site_where_none_is_given(tmp_path: Path) -> None:
    (tmp_path / "site.yaml").write_text("language: vi\n", encoding="utf-8")
    plain = read_plain(["serve", "--config", str(tmp_path)])
    assert plain is not None
    assert plain.language == "vi"


@pytest.mark.parametrize("words", ["serve --config /s --state /d --try", "serve --config /s"])
def test_it_means_what_the_command_line_takes_it_to_mean(
    words: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    became: list[list[str]] = []
    monkeypatch.setattr(os, "execv", lambda *call: became.append(call[1]))
    monkeypatch.setattr(signal, "pthread_sigmask", lambda *_: None)
    monkeypatch.setattr(sys, "argv", ["filterd", *words.split(), "--lang", "vi"])
    with (
        mock.patch.dict(os.environ),
        mock.patch.object(sys, "path", [*sys.path]),
        pytest.raises(SystemExit),
    ):
        app.main()
    plain = read_plain(sys.argv[1:])
    assert plain is not None
    try_it = "yes" if plain.try_it else "no"
    assert became[0][3:] == [str(plain.config), str(plain.state), plain.language, try_it]


def test_it_serves_with_those_signals_held_back_that_would_end_it(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    served: list[tuple[str, ...]] = []
    masks: list[set[signal.Signals]] = []
    collects: list[bool] = []

    def serve(*call: str) -> None:
        served.append(call)
        collects.append(gc.isenabled())

    monkeypatch.setattr(main, "main", serve)
    monkeypatch.setattr(signal, "pthread_sigmask", lambda _, mask: masks.append(mask))
    monkeypatch.setattr(sys, "argv", ["filterd", "serve", *SITE, "--try"])
    with mock.patch.dict(os.environ), mock.patch.object(sys, "path", ["/working", str(ROOT)]):
        entry.main()
        assert sys.path == [str(ROOT)]
        assert (os.environ["PYTHONPATH"], os.environ["PYTHONSAFEPATH"]) == (str(ROOT), "1")
    assert served == [("/s", "/d", "en", "yes")]
    assert collects == [False]  # a start does without
    assert masks == [{signal.SIGTERM, signal.SIGINT, signal.SIGHUP}]


def test_all_other_commands_are_the_command_lines(monkeypatch: pytest.MonkeyPatch) -> None:
    called: list[str] = []
    monkeypatch.setattr(app, "main", lambda: called.append("app"))
    monkeypatch.setattr(sys, "argv", ["filterd", "status"])
    entry.main()
    assert called == ["app"]


def test_nothing_for_people_is_imported_before_it_serves() -> None:
    program = (
        "import sys; from filterd.cli import entry\nfrom filterd.daemon import main\n"
        "main.main = lambda *_: print(*sys.modules)\n"
        "entry.main()"
    )
    words = [sys.executable, "-P", "-c", program, "serve", *SITE]
    done = subprocess.run(words, env=environment(), check=True, capture_output=True, text=True)
    assert {"typer", "rich", "yaml", "pydantic"}.isdisjoint(done.stdout.split())
    assert "filterd.daemon.main" in done.stdout.split()


def test_no_file_of_the_working_directory_stands_in_for_a_module(tmp_path: Path) -> None:
    for module in ("uvloop", "json", "asyncio", "logging"):
        (tmp_path / f"{module}.py").write_text("raise SystemExit(77)\n", encoding="utf-8")
    words = [sys.executable, "-m", "filterd", "serve", "--config", "/nowhere", "--state"]
    done = subprocess.run(
        [*words, str(tmp_path / "state")],
        cwd=tmp_path,
        env=environment(),
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 2
    assert "/nowhere/site.yaml: cannot be read" in done.stderr
