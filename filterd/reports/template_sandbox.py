# SPDX-License-Identifier: Apache-2.0
"""Fill the tags of a template that comes from outside, and let it do nothing else.

A template may print fields, repeat something for each element of a list, and leave something
out. Its tags are parsed first, and a tag that has anything but these is refused: a call, an
assignment, arithmetic, a macro, an import. Values have no attributes but the fields listed
here. Work is bounded by the rounds of all loops and by the length of the text.
"""

from __future__ import annotations

import html
import re
import traceback
from typing import TYPE_CHECKING, Any

from jinja2 import StrictUndefined, TemplateError, nodes
from jinja2.runtime import LoopContext
from jinja2.sandbox import ImmutableSandboxedEnvironment
from markupsafe import Markup, escape

from filterd.base.errors import ConfigError
from filterd.reports.report_document import cell_text
from filterd.texts.i18n import UNSAID, Sentence, did_you_mean, quoted, say

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

MOST_ROUNDS = 500_000
"""Of all loops of a template together: a year of classes and categories has some ten thousand."""
MOST_CHARACTERS = 24 << 20
"""Of a part of the document, with its markup."""
DEEPEST_LOOP = 4
"""Sections, their parts, rows of a table, its columns."""

_LOOP_FIELDS = {"index", "index0", "first", "last", "length"}
_ALLOWED = (
    nodes.Template,
    nodes.Output,
    nodes.TemplateData,
    nodes.Const,
    nodes.Name,
    nodes.Getattr,
    nodes.Getitem,
    nodes.For,
    nodes.If,
    nodes.CondExpr,
    nodes.Compare,
    nodes.Operand,
    nodes.And,
    nodes.Or,
    nodes.Not,
    nodes.Filter,
    nodes.Test,
)
_CONTROL = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\ud800-\udfff\ufffe\uffff]")
"""What XML forbids, and what docxtpl takes for a new page or paragraph."""
_TAGS = re.compile(r"<[^>]*>")
_SHOWN = 80


class TemplateText(str):
    """A value that notes where it is printed; ``printed`` has the texts in order."""

    __slots__ = ("printed",)
    printed: list[str]

    def __html__(self) -> Markup:
        """Print it: as text, never as markup; each of its lines is a paragraph."""
        text = _CONTROL.sub("", self.replace("\r\n", "\n"))
        self.printed.append(text)
        return escape(text.replace("\n", "\a"))  # as docxtpl has a new paragraph


class TemplateNumber(int):
    """A whole number, which conditions may compare; it notes where it is printed."""

    shown: TemplateText

    def __html__(self) -> Markup:
        """Print it as the language writes numbers."""
        return self.shown.__html__()


class TemplateFields:
    """Named values; ``path`` is what stands before their names."""

    def __init__(self, path: str, values: Mapping[str, Any]) -> None:
        self.path, self.values = path, values

    def __html__(self) -> Markup:
        """Refuse to be printed as a whole."""
        raise TypeError(say("it prints fields together: name one of them"))


class TemplateRows:
    """A list of values, whose every round of a loop counts."""

    def __init__(self, values: Sequence[Any], counted: list[None]) -> None:
        self._values, self._counted = values, counted

    def __html__(self) -> Markup:
        """Refuse to be printed as a whole."""
        raise TypeError(say("it prints a list: repeat (for) what each of its elements prints"))

    def __len__(self) -> int:
        return len(self._values)

    def __getitem__(self, at: int) -> Any:
        return self._values[at]

    def __iter__(self) -> Iterator[Any]:
        for value in self._values:
            self._counted.append(None)
            if len(self._counted) > MOST_ROUNDS:
                raise ConfigError(say("the template repeats too much"))
            yield value


class TemplateValues:
    """Make the values of one report; ``printed`` are the texts it has printed."""

    def __init__(self, language: str) -> None:
        self._language = language
        self._counted: list[None] = []
        self.printed: list[str] = []

    def text(self, text: str) -> TemplateText:
        """Return a text."""
        value = TemplateText(text)
        value.printed = self.printed
        return value

    def cell(self, cell: str | float | None) -> TemplateText | TemplateNumber:
        """Return a cell of a table, or the value of a figure."""
        shown = self.text(cell_text(cell, self._language))
        if not isinstance(cell, int):
            return shown
        number = TemplateNumber(cell)
        number.shown = shown
        return number

    def rows(self, values: Sequence[Any]) -> TemplateRows:
        """Return a list."""
        return TemplateRows(values, self._counted)


class TemplateSandbox:
    """Fill templates with the same fields.

    Args:
        fields: of the report, by the names of the top.
    """

    def __init__(self, fields: Mapping[str, Any]) -> None:
        self._fields = fields
        self._environment = _Environment(
            autoescape=True, undefined=StrictUndefined, cache_size=0, optimized=False
        )

    def fill(self, source: str) -> str:
        """Return the text of a template, filled in.

        Args:
            source: XML with tags; each paragraph begins a line.

        Raises:
            ConfigError: a tag is wrong, does what is not allowed, names a field that does not
                exist, or repeats too much.
        """
        try:
            self._check(source, self._environment.parse(source))
            template = self._environment.from_string(source)
        except TemplateError as error:
            line = getattr(error, "lineno", 0) or 0
            raise _refusal(quoted(error.message or ""), source, line) from error
        except (RecursionError, SyntaxError, ValueError, OverflowError, MemoryError) as error:
            raise ConfigError(say("a tag of the template is too long or too deep")) from error
        filled, length = list[str](), 0
        try:
            for piece in template.generate(self._fields):
                length += len(piece)
                if length > MOST_CHARACTERS:
                    raise ConfigError(say("the template repeats too much"))
                filled.append(piece)
        except (TemplateError, TypeError) as error:
            reason = quoted(error.args[0] if error.args else "")
            raise _refusal(reason, source, _line_of(error)) from error
        return "".join(filled)

    def _check(self, source: str, tree: nodes.Template) -> None:
        for node in _nodes(tree):
            reason = _unsafe(node)
            if reason:
                raise _refusal(reason, source, node.lineno or 0)
        names = list(tree.find_all(nodes.Name))
        known = {*self._fields, "loop", *(name.name for name in names if name.ctx != "load")}
        for name in names:
            if name.name not in known:
                raise _refusal(_no_field(name.name, "", self._fields), source, name.lineno)


class _Environment(ImmutableSandboxedEnvironment):
    """Jinja without functions, and with the attributes of ``TemplateFields`` only."""

    def __init__(self, **options: Any) -> None:
        super().__init__(**options)
        self.globals, self.filters = {}, {"upper": _upper}
        self.tests = {name: self.tests[name] for name in ("defined", "undefined")}

    def getattr(self, obj: Any, attribute: str) -> Any:
        """Return a field."""
        if isinstance(obj, TemplateFields):
            if attribute in obj.values:
                return obj.values[attribute]
            return self.undefined(_no_field(attribute, f"{obj.path}.", obj.values))
        if isinstance(obj, LoopContext) and attribute in _LOOP_FIELDS:
            return super().getattr(obj, attribute)
        return self.undefined(_no_field(attribute, "", {}))

    def getitem(self, obj: Any, argument: Any) -> Any:
        """Return an element of a list, or a field by its name."""
        if isinstance(obj, TemplateRows) and isinstance(argument, int):
            if 0 <= argument < len(obj):
                return obj[argument]
            return self.undefined(say("there is no element {number}", number=argument))
        return self.getattr(obj, str(argument))

    def is_safe_callable(self, _: Any) -> bool:
        """Refuse every call."""
        return False


def _upper(value: Any) -> Any:
    if not isinstance(value, TemplateText):
        return value
    upper = TemplateText(value.upper())
    upper.printed = value.printed
    return upper


def _nodes(tree: nodes.Node) -> Iterator[nodes.Node]:
    left = [tree]
    while left:
        node = left.pop()
        yield node
        left += node.iter_child_nodes()


def _unsafe(node: nodes.Node) -> Sentence:
    """Return why a node of a template is refused, or nothing."""
    if not isinstance(node, _ALLOWED):
        return say(
            "a tag may print a field, repeat (for) and choose (if) only, but has '{what}'",
            what=type(node).__name__,
        )
    if isinstance(node, nodes.For):
        if node.recursive or not isinstance(node.iter, nodes.Name | nodes.Getattr | nodes.Getitem):
            return say("a loop may go over a list of the report only")
        if _depth(node) > DEEPEST_LOOP:
            return say("at most {most} loops may stand within each other", most=DEEPEST_LOOP)
    return UNSAID


def _depth(loop: nodes.Node) -> int:
    inner = [child for child in loop.iter_child_nodes() if isinstance(child, nodes.Stmt)]
    deepest = max((_depth(child) for child in inner), default=0)
    return deepest + isinstance(loop, nodes.For)


def _no_field(name: str, path: str, known: Mapping[str, Any]) -> Sentence:
    return say(
        "there is no field '{field}' ({hint})",
        field=f"{path}{name}"[:_SHOWN],
        hint=did_you_mean(name, list(known), most=20) or say("values have no fields"),
    )


def _line_of(error: Exception) -> int:
    """Return the line of the template at an error; 0 where it is not known."""
    frames = traceback.extract_tb(error.__traceback__)
    return next(
        (frame.lineno or 0 for frame in reversed(frames) if frame.filename == "<template>"), 0
    )


def _refusal(reason: Sentence, source: str, line: int) -> ConfigError:
    """Return the error of a tag, with the text of its paragraph."""
    lines = source.splitlines() if line else []
    text = html.unescape(_TAGS.sub("", lines[line - 1])) if 0 < line <= len(lines) else ""
    hint = say("in the paragraph: {text}", text=" ".join(text.split())[:_SHOWN])
    return ConfigError(
        say("the template is refused: {why}", why=reason), hint=hint if text else UNSAID
    )
