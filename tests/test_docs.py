# SPDX-License-Identifier: Apache-2.0
"""The documents agree with the code: every command has help and is in the README."""

from __future__ import annotations

import ast
import re
from collections import Counter
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
import typer

from filterd.cli import tree

if TYPE_CHECKING:
    from collections.abc import Iterator

ROOT = Path(__file__).resolve().parents[1]


def _commands(group: Any, words: tuple[str, ...] = ()) -> Iterator[tuple[str, Any]]:
    for name, command in group.commands.items():
        if hasattr(command, "commands"):
            yield from _commands(command, (*words, name))
        else:
            yield " ".join((*words, name)), command


COMMANDS = dict(_commands(typer.main.get_command(tree.whole())))

CONTRACT = {
    "serve",
    "check",
    "lists build",
    "lists status",
    "lists report",
    "lists search",
    "lists follow",
    "lists unfollow",
    "lists update",
    "lists sources",
    "lists exclude",
    "lists history",
    "policy validate",
    "policy show",
    "policy tree",
    "policy set",
    "policy diff",
    "policy test",
    "policy history",
    "policy undo",
    "policy whatif",
    "allow",
    "pause",
    "block",
    "exceptions list",
    "exceptions revoke",
    "requests list",
    "requests approve",
    "requests refuse",
    "blockpage",
    "poster",
    "update",
    "undo",
    "room list",
    "room show",
    "room set",
    "room learn",
    "room import",
    "room export",
    "devices list",
    "devices name",
    "devices assign",
    "devices unassign",
    "devices nat",
    "exam learn",
    "exam start",
    "exam stop",
    "exam list",
    "safesearch verify",
    "import pihole",
    "import adguard",
    "timetable import",
    "timetable export",
    "timetable diff",
    "class list",
    "class show",
    "class lend",
    "site apply",
    "release list",
    "release activate",
    "release rollback",
    "release restore",
    "release test",
    "services list",
    "services show",
    "history list",
    "history verify",
    "account list",
    "account add",
    "account passwd",
    "account roles",
    "account disable",
    "account enable",
    "account totp",
    "account recovery",
    "account code",
    "account recover",
    "account token-add",
    "account token-list",
    "account token-revoke",
    "account device-list",
    "account device-code",
    "account device-confirm",
    "account device-revoke",
    "cert show",
    "cert make",
    "cert install",
    "clock accept",
    "report-mistake",
    "report",
    "sync",
    "feed trust",
    "feed status",
    "feed history",
    "feed approve",
    "feed refuse",
    "feed rollback",
    "feed hold",
    "feed init",
    "feed build",
    "feed review",
    "feed mistakes",
    "feed publish",
    "feed sign",
    "feed sign-program",
    "feed release-hold",
    "feed rotate-key",
    "feed verify",
    "feed diff",
    "inspect make",
    "inspect verify",
    "fleet enrol",
    "fleet sign",
    "reload",
    "status",
    "doctor",
    "monitor",
    "web",
    "alerts list",
    "alerts test",
    "setup",
    "log totals",
    "log export",
    "log help",
    "log search",
    "log top",
    "log new",
    "log why",
    "log names",
    "log forget",
    "log purge",
    "log level",
    "log confirm",
    "log tail",
    "top",
    "init",
    "backup",
    "restore",
    "completion",
    "man",
}
"""The commands that scripts and people rely on."""


def test_the_commands_are_the_ones_that_were_promised() -> None:
    assert set(COMMANDS) == CONTRACT


@pytest.mark.parametrize("name", COMMANDS)
def test_the_command_and_its_options_have_help(name: str) -> None:
    command = COMMANDS[name]
    assert command.help
    shown = [one for one in command.params if not getattr(one, "hidden", False)]
    assert [one.name for one in shown if not getattr(one, "help", "")] == []


def test_what_is_hidden_is_what_processes_of_filterd_say_to_each_other() -> None:
    hidden = {
        (name, option)
        for name, command in COMMANDS.items()
        for one in command.params
        if getattr(one, "hidden", False)
        for option in one.opts
    }
    assert hidden == {
        ("lists build", "--stdout"),
        ("update", "--fetch"),
        ("update", "--install"),
    }


@pytest.mark.parametrize("name", COMMANDS)
def test_the_command_is_in_the_readme(name: str) -> None:
    assert f"filterd {name}" in (ROOT / "README.md").read_text(encoding="utf-8")


@pytest.mark.parametrize("name", COMMANDS)
def test_site_state_and_language_can_be_named_everywhere(name: str) -> None:
    options = {option for one in COMMANDS[name].params for option in one.opts}
    assert {"--config", "--state", "--lang"} <= options


def test_groups_take_them_before_the_command_as_well() -> None:
    root: Any = typer.main.get_command(tree.whole())
    groups = [one for one in root.commands.values() if hasattr(one, "commands")]
    for group in groups:
        options = {option for one in group.params for option in one.opts}
        assert {"--config", "--state", "--lang"} <= options, group.name


def test_the_readme_names_only_commands_that_exist() -> None:
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    words = [
        line.split("filterd ", 1)[1].split()
        for line in readme.splitlines()
        if "$ " in line and "filterd " in line
    ]
    for first, *rest in words:
        assert first in COMMANDS or " ".join((first, *rest[:1])) in COMMANDS


TESTED_BY = re.compile(r"`(tests/[\w/]+\.py)::(\w+)`")
THREATS = (ROOT / "deploy" / "THREAT_MODEL.md").read_text(encoding="utf-8")


def test_what_the_threat_model_names_is_a_test() -> None:
    named = sorted(set(TESTED_BY.findall(THREATS)))
    texts = {path: (ROOT / path).read_text(encoding="utf-8") for path, _ in named}
    there = {
        path: set(re.findall(r"^def (test_\w+)\(", texts[path], re.MULTILINE)) for path in texts
    }
    assert [(path, name) for path, name in named if name not in there[path]] == []


def test_every_threat_has_a_test_or_states_that_it_has_none() -> None:
    rows = [line for line in THREATS.splitlines() if line.startswith("| ")]
    assert {row.count(" | ") for row in rows} == {1, 3}
    tested = [row.split(" | ")[-1].removesuffix(" |") for row in rows if row.count(" | ") == 3]
    folders = [one for one in tested if one not in ("---", "test")]
    assert len(folders) > 50
    whole = re.compile(rf"-|{TESTED_BY.pattern}(, {TESTED_BY.pattern})*")
    assert [one for one in folders if not whole.fullmatch(one)] == []


def test_every_module_states_its_purpose() -> None:
    paths = sorted((ROOT / "filterd").rglob("*.py"))
    sources = {path: path.read_text(encoding="utf-8") for path in paths}
    begins = re.compile(r'(#.*\n|\n)*r?"""')
    assert [path for path, text in sources.items() if text.strip() and not begins.match(text)] == []


@pytest.mark.parametrize("drawn_in", ["README.md", "filterd/__init__.py"])
def test_the_house_has_every_package(drawn_in: str) -> None:
    text = (ROOT / drawn_in).read_text()
    house = set(re.findall(r"\w+", text[text.index("8 cli ") : text.index("modules beside")]))
    packages = {path.parent.name for path in (ROOT / "filterd").glob("*/__init__.py")}
    assert packages - house <= {"locale"}  # texts, no code


def test_a_summary_line_is_short() -> None:
    """Those of cli are help texts, which have 80 columns of their own."""
    long = []
    for path in sorted((ROOT / "filterd").rglob("*.py")):
        if path.parent.name == "cli":
            continue
        for node in ast.walk(ast.parse(path.read_bytes())):
            if isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef):
                summary = (ast.get_docstring(node) or "").partition("\n")[0]
                if len(summary) > 80:
                    long.append(f"{path}: {summary}")
    assert long == []


WALKS = ("filterd/fastpath/__init__.py", "filterd/resolve/__init__.py")


def _steps() -> list[tuple[str, str]]:
    """Return the functions and attributes that the drawings of walks name, with their owners."""
    lines = [line for path in WALKS for line in (ROOT / path).read_text("utf-8").splitlines()]
    drawn = " ".join(line for line in lines if line.startswith("    "))
    return sorted(set(re.findall(r"\b([A-Za-z_]+)\.([a-z_]+)", drawn)))


@cache
def _texts() -> list[tuple[str, str]]:
    paths = [path for path in (ROOT / "filterd").rglob("*.py*") if path.suffix in {".py", ".pyx"}]
    return [(path.stem, path.read_text(encoding="utf-8")) for path in paths]


@pytest.mark.parametrize(("owner", "name"), _steps())
def test_the_drawn_walks_name_what_there_is(owner: str, name: str) -> None:
    """An owner is a class or a module; native ones are looked up in their source."""
    is_owner = re.compile(rf"^(?:cdef )?class {owner}\b", re.MULTILINE)
    is_defined = re.compile(
        rf"\bc?p?def\b[^\n(]*\b{name}\(|^ +(?:self\.)?{name}\b.*[:=]", re.MULTILINE
    )
    owners = [text for stem, text in _texts() if stem == owner or is_owner.search(text)]
    assert any(is_defined.search(text) for text in owners)


def test_each_row_of_the_threat_model_stands_once() -> None:
    cells = [line.split("|")[1].strip() for line in THREATS.splitlines() if line.startswith("|")]
    counted = Counter(one for one in cells if one not in {"---", "attack", "fault", "what"})
    assert [one for one, number in counted.items() if number > 1] == []
