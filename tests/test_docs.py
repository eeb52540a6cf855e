# SPDX-License-Identifier: Apache-2.0
"""The documents agree with the code and each other: commands, paths, links, one index."""

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
from filterd.web.pages import ORDER
from tests.support import command_reference

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

README = ROOT / "README.md"
PAGES = [
    path.relative_to(ROOT)
    for folder in ("deploy", "policies", "blocklists", "blocklists/vn")
    for path in sorted((ROOT / folder).glob("*.md"))
]
"""The documents that README's index names."""
DOCUMENTS = [Path("README.md"), *PAGES]
CHAPTERS = [Path("README.md"), *(Path("deploy", f"{one}.md") for one in ("ERRANDS", "LISTS"))]
"""Those with an example of each command."""


def test_the_reference_has_the_commands_of_the_program() -> None:
    """What scripts and people rely on: a command or an option that goes is seen in its diff."""
    assert (
        command_reference.DOCUMENT.read_text(encoding="utf-8") == command_reference.reference()
    ), "look at the difference that `make reference` makes"


@pytest.mark.parametrize("name", COMMANDS)
def test_the_command_and_its_options_have_help(name: str) -> None:
    command = COMMANDS[name]
    assert command.help
    shown = [param for param in command.params if not getattr(param, "hidden", False)]
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
        ("update", "--fetch"),
        ("update", "--install"),
    }


@pytest.mark.parametrize("name", COMMANDS)
def test_the_command_has_an_example(name: str) -> None:
    assert any(f"filterd {name}" in (ROOT / one).read_text(encoding="utf-8") for one in CHAPTERS)


@pytest.mark.parametrize("name", COMMANDS)
def test_site_state_and_language_can_be_named_everywhere(name: str) -> None:
    options = {option for param in COMMANDS[name].params for option in param.opts}
    assert {"--config", "--state", "--lang"} <= options


def test_groups_take_them_before_the_command_as_well() -> None:
    root: Any = typer.main.get_command(tree.whole())
    groups = [command for command in root.commands.values() if hasattr(command, "commands")]
    for group in groups:
        options = {option for param in group.params for option in param.opts}
        assert {"--config", "--state", "--lang"} <= options, group.name


def test_readme_is_read_in_ten_minutes() -> None:
    assert len(README.read_text(encoding="utf-8").splitlines()) <= 200


def test_readme_s_index_names_each_page_once() -> None:
    index = README.read_text(encoding="utf-8").split("## All pages")[1]
    links = Counter(re.findall(r"\]\(([^)]+)\)", index))
    assert links == Counter([*map(str, PAGES), "CHANGELOG.md"])


def test_pages_of_the_dashboard_that_readme_names_are_there() -> None:
    table = README.read_text(encoding="utf-8").split("page of the dashboard |")[1].split("\n\n")[0]
    cells = [line.split("|")[-2] for line in table.splitlines() if line.startswith("| ")][1:]
    named = {one.strip() for cell in cells for one in cell.split(";")} - {""}
    assert len(named) > 15
    assert named - {str(page.title) for page in ORDER} == set()


FENCED = re.compile(r"^ *```.*?^ *```$", re.MULTILINE | re.DOTALL)


def anchors(path: Path) -> set[str]:
    """Return the anchors of a document's headings, as a forge makes them."""
    prose = FENCED.sub("", path.read_text(encoding="utf-8"))
    titles = re.findall(r"^#+ (.*)$", prose, re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", title.lower()).replace(" ", "-") for title in titles}


@pytest.mark.parametrize("document", [*DOCUMENTS, Path("CHANGELOG.md")], ids=str)
def test_every_link_leads_somewhere(document: Path) -> None:
    path = ROOT / document
    prose = FENCED.sub("", path.read_text(encoding="utf-8"))
    broken = []
    for link in re.findall(r"\]\(([^)\s]+)\)", prose):
        file, _, anchor = link.partition("#")
        target = path.parent / file if file else path
        if not target.exists() or (anchor and anchor not in anchors(target)):
            broken.append(link)
    assert broken == []


@pytest.mark.parametrize("document", DOCUMENTS, ids=str)
def test_every_path_that_a_document_names_is_there(document: Path) -> None:
    spans = re.findall(
        r"`((?:filterd|deploy|tests|policies|blocklists|\.ci)/[\w./-]*\w)/?[`:#]",
        (ROOT / document).read_text(encoding="utf-8"),
    )
    assert [span for span in spans if not (ROOT / span).exists()] == []


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
    assert [folder for folder in folders if not whole.fullmatch(folder)] == []


def test_every_module_states_its_purpose() -> None:
    paths = sorted((ROOT / "filterd").rglob("*.py"))
    sources = {path: path.read_text(encoding="utf-8") for path in paths}
    begins = re.compile(r'(#.*\n|\n)*r?"""')
    assert [path for path, text in sources.items() if text.strip() and not begins.match(text)] == []


def _house(drawn_in: str) -> str:
    text = (ROOT / drawn_in).read_text(encoding="utf-8")
    return text[text.index("8 cli ") : text.index("rows and tables of them")]


def test_the_house_has_every_package() -> None:
    packages = {path.parent.name for path in (ROOT / "filterd").glob("*/__init__.py")}
    drawn = {*re.findall(r"\w+", _house("README.md"))}
    assert packages - drawn <= {"locale"}  # texts, no code


def test_the_package_draws_the_same_house_as_readme() -> None:
    drawn = [line.strip() for line in _house("filterd/__init__.py").splitlines()]
    assert [line.strip() for line in _house("README.md").splitlines()] == drawn


def test_a_summary_line_is_short() -> None:
    """Those of commands are help texts, which have 80 columns of their own."""
    requests = {where.rpartition(".")[2] for where in tree._COMMANDS.values()}
    long = []
    for path in sorted((ROOT / "filterd").rglob("*.py")):
        if "cli" in path.parts:
            continue
        for node in ast.walk(ast.parse(path.read_bytes())):
            if isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef):
                summary = (ast.get_docstring(node) or "").partition("\n")[0]
                if len(summary) > 80 and getattr(node, "name", "") not in requests:
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
    counted = Counter(cell for cell in cells if cell not in {"---", "attack", "fault", "what"})
    assert [one for one, number in counted.items() if number > 1] == []
