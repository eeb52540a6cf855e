# SPDX-License-Identifier: Apache-2.0
"""Read every sentence for people from the source, and update ``vi.po``.

``python -m tests.support.catalogue`` (``make messages``) adds new sentences to the
catalogue, removes unused ones, and keeps the translations.
"""

from __future__ import annotations

import ast
import re
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from babel.messages.catalog import Catalog
from babel.messages.pofile import read_po, write_po
from jinja2 import Environment, nodes

from filterd.documents import yaml_reader
from filterd.lists.report import Reason
from filterd.texts.i18n import CATALOGUES
from tests.support.foreign_texts import FOREIGN
from tests.support.help_texts import help_texts

if TYPE_CHECKING:
    from collections.abc import Iterator

ROOT = Path(__file__).resolve().parents[2]
PACKAGE = ROOT / "filterd"
VIETNAMESE = CATALOGUES / "vi.po"
LEVELS = ("log", "info", "warning", "error")
"""Methods of a logger whose lines are for people; exceptions are for programmers."""
PLACEHOLDER = re.compile(r"\{([a-z][a-z0-9_]*)\}")

_HEADER = """\
# Vietnamese texts of filterd.
# SPDX-License-Identifier: Apache-2.0
# `make messages` writes what is to be translated; edit msgstr only."""
_IN_CYTHON = re.compile(r"\bsay\(\s*((?:\"(?:[^\"\\]|\\.)*\"\s*)+)")
CONVERSION = re.compile(r"%[+\d.]*[a-z]")
"""A value in a line of the journal."""


class Message(NamedTuple):
    """A text to translate: ``many`` is empty where it has no plural, ``context`` mostly."""

    one: str
    many: str = ""
    context: str = ""

    @property
    def id(self) -> str | tuple[str, str]:
        """The text as Babel has it."""
        return (self.one, self.many) if self.many else self.one


def messages() -> dict[Message, list[str]]:
    """Return each text and its files."""
    found: dict[Message, set[str]] = {}
    for message, place in (*_in_python(), *_in_cython(), *_in_templates(), *_in_data()):
        if has_words(message.one):
            found.setdefault(message, set()).add(place)
    return {message: sorted(places) for message, places in sorted(found.items())}


@cache
def calls() -> list[tuple[str, ast.Call]]:
    """Return every call in the package's Python, and where it is."""
    return [
        (f"{path.relative_to(PACKAGE.parent)}:{node.lineno}", node)
        for path in sorted(PACKAGE.rglob("*.py"))
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, ast.Call)
    ]


def named(call: ast.Call) -> str:
    """Return the name that is called, without what it belongs to."""
    called = call.func
    return called.attr if isinstance(called, ast.Attribute) else getattr(called, "id", "")


def has_words(template: str) -> bool:
    """Return whether a template has text of its own."""
    return re.search(r"[A-Za-z]", PLACEHOLDER.sub("", CONVERSION.sub("", template))) is not None


def read() -> Catalog:
    """Return the Vietnamese catalogue as it is written."""
    with VIETNAMESE.open("rb") as file:
        return read_po(file, locale="vi", abort_invalid=True)


def update() -> None:
    """Write the catalogue anew, with the texts of the source and the translations it has."""
    catalogue, template = read(), Catalog(fuzzy=False)
    for message, places in messages().items():
        template.add(
            message.id, locations=[(place, 0) for place in places], context=message.context or None
        )
    template.creation_date = catalogue.creation_date  # the same source writes the same file
    catalogue.update(template, no_fuzzy_matching=True, update_creation_date=False)
    write(catalogue)


def write(catalogue: Catalog) -> None:
    """Write the Vietnamese catalogue, by the files of the texts."""
    catalogue.header_comment = _HEADER
    with VIETNAMESE.open("wb") as file:
        write_po(
            file,
            catalogue,
            width=100,
            include_lineno=False,
            sort_by_file=True,
            ignore_obsolete=True,
        )


def _in_python() -> Iterator[tuple[Message, str]]:
    for place, call in calls():
        path = place.partition(":")[0]
        if named(call) == "texts" and call.args:
            for text in _constants(call.args[0]):
                yield Message(text), path
        match call.func:
            case ast.Attribute(value=ast.Name(id="_log" | "_logger"), attr=level) if (
                level in LEVELS
            ):
                yield Message(_literal(call, int(level == "log"), place)), path
        match getattr(call.func, "id", ""):  # the function, not a method of that name
            case "say":
                yield Message(_literal(call, 0, place)), path
            case "say_n":
                yield Message(_literal(call, 0, place), _literal(call, 1, place)), path
            case "say_in":
                yield Message(_literal(call, 1, place), "", _literal(call, 0, place)), path


def _constants(node: ast.expr) -> Iterator[str]:
    """Yield a literal, or the two of a condition; what is made elsewhere is found there."""
    match node:
        case ast.Constant(value=str(text)):
            yield text
        case ast.IfExp(body=body, orelse=orelse):
            yield from (*_constants(body), *_constants(orelse))


def _literal(call: ast.Call, position: int, place: str) -> str:
    text = getattr(call.args[position], "value", None)
    assert isinstance(text, str), f"{place}: not a literal"
    return text


def _in_cython() -> Iterator[tuple[Message, str]]:
    for path in PACKAGE.rglob("*.pyx"):
        for words in _IN_CYTHON.findall(path.read_text(encoding="utf-8")):
            yield Message(ast.literal_eval(f"({words})")), str(path.relative_to(PACKAGE.parent))


def _in_templates() -> Iterator[tuple[Message, str]]:
    """Yield the texts of templates: ``{{ texts("...") }}``."""
    parse = Environment(autoescape=True).parse
    for path in sorted(PACKAGE.rglob("templates/*.html")):
        for call in parse(path.read_text(encoding="utf-8")).find_all(nodes.Call):
            if getattr(call.node, "name", "") == "texts" and isinstance(call.args[0], nodes.Const):
                yield Message(call.args[0].value), str(path.relative_to(PACKAGE.parent))


def _in_data() -> Iterator[tuple[Message, str]]:
    for text in FOREIGN:
        yield Message(text), "tests/support/foreign_texts.py"
    for text, context, place in help_texts():
        yield Message(text, "", context), place
    for path in sorted((ROOT / "policies").rglob("*.yaml")):
        for text in yaml_reader.comments(path.read_text(encoding="utf-8")):
            yield Message(text), str(path.relative_to(ROOT))
    for reason in Reason:
        yield Message(reason.explanation), "filterd/lists/report.py"


if __name__ == "__main__":
    update()
