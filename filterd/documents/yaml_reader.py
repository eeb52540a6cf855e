# SPDX-License-Identifier: Apache-2.0
"""Read YAML into plain data within bounds, with places; write YAML.

Values are built straight from the parser's events, so that a bound is met
before anything of that size exists, and neither an alias bomb nor 3,000
brackets cost more than their own octets.

YAML that ships has English comments; ``vi.po`` has each of them as a text like any other. A
comment is the lines beside each other that begin with ``# ``, joined. Lines that begin with
two blanks are YAML to be uncommented, and some are for machines: both stay as they are.
"""

from __future__ import annotations

import re
import textwrap
from typing import TYPE_CHECKING, Any, NoReturn

import yaml

from filterd.base.errors import ConfigError
from filterd.base.paths import open_plain
from filterd.base.value_class import frozen
from filterd.texts.i18n import UNSAID, Sentence, one_line, quoted, refused, say, translated

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator
    from pathlib import Path

    from filterd.texts.i18n import Language


MAX_SIZE_OCTETS = 1 << 20
MAX_DEPTH = 20
MAX_VALUES = 100_000
"""A value can be one or two octets of text, and each costs a hundred times as much to check."""

Where = tuple[str | int, ...]
"""A path into a document: keys and 0-based positions, ``("networks", 0, "grade")``."""

# libyaml reads the same language some forty times faster, and writes it five times faster; where
# it was not built, PyYAML's own parser yields the same events.
_LOADER = yaml.CSafeLoader if yaml.__with_libyaml__ else yaml.SafeLoader
_DUMPER = yaml.CSafeDumper if yaml.__with_libyaml__ else yaml.SafeDumper

_UNPRINTABLE = re.compile(
    "[^\t\n\r\x20-\x7e\x85\xa0-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]"  # YAML 1.2 §5.1
)
_NULL = frozenset(("", "~", "null", "Null", "NULL"))
_BOOLEAN = {
    **dict.fromkeys(("true", "True", "TRUE"), True),
    **dict.fromkeys(("false", "False", "FALSE"), False),
}
_INTEGER = re.compile(r"[-+]?[0-9]+|0o[0-7]+|0x[0-9a-fA-F]+")
_FLOAT = re.compile(r"[-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)?")
_NUMBERS_BEGIN = frozenset("0123456789.+-")
_LONGEST_NUMBER = 40


@frozen
class Document:
    """A file's content as plain data, and the place of each part of it.

    ``data`` is made of dict (text keys), list, str, int, float, bool and None.
    ``places`` maps each :data:`Where` to its 1-based line and column: of the
    key in a mapping, of the item in a sequence.
    """

    path: str
    data: Any
    places: dict[Where, tuple[int, int]]

    def place(self, where: Where) -> tuple[int, int]:
        """Return line and column of ``where``, or of its nearest existing parent."""
        if where in self.places:
            return self.places[where]
        known: Where = ()
        for part in where:
            if (*known, part) in self.places:
                known = (*known, part)
        return self.places.get(known, (1, 1))

    def error(self, reason: Sentence, where: Where = (), *, hint: Sentence = UNSAID) -> ConfigError:
        """Return (not raise) an error of one line that points at ``where`` in this file."""
        line, column = self.place(where)
        return ConfigError(
            one_line(reason), path=self.path, line=line, column=column, hint=one_line(hint)
        )


def load(path: Path, *, as_text: bool = False) -> Document:
    """Read a YAML file within the bounds of this module.

    Args:
        path: of the file.
        as_text: whether all scalars stay text: ``007`` and ``6E1`` are no numbers then.

    Raises:
        ConfigError: the file cannot be read, is no YAML, or exceeds a bound.
    """
    return parse(_read(path), str(path), as_text=as_text)


def parse(content: bytes, path: str, *, as_text: bool = False) -> Document:
    """Parse the octets of a YAML file.

    ``path`` is its name in errors; the rest is as in ``load``.

    Raises:
        ConfigError: they are no YAML, or exceed a bound.
    """
    if len(content) > MAX_SIZE_OCTETS:
        raise ConfigError(say("the file is larger than 1 MiB"), path=path, hint=say("split it up"))
    text = _decode(content, path)
    return _Builder(path, text, as_text=as_text).document()


def _read(path: Path) -> bytes:
    try:
        with open_plain(path) as file:
            return file.read(MAX_SIZE_OCTETS + 1)
    except OSError as error:
        raise ConfigError(
            say("cannot be read: {why}", why=refused(error)), path=str(path)
        ) from error


def _decode(content: bytes, path: str) -> str:
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        before = content[: error.start].decode("utf-8-sig", errors="replace")
        _refuse_character(say("an octet that is not UTF-8"), before, path)
    if odd := _UNPRINTABLE.search(text):
        _refuse_character(
            say("the character U+{code}", code=f"{ord(odd[0]):04X}"), text[: odd.start()], path
        )
    return text


def _refuse_character(what: Sentence, before: str, path: str) -> NoReturn:
    line = before.count("\n") + 1
    column = len(before) - before.rfind("\n")
    raise ConfigError(
        say("{what} is not allowed in a YAML file", what=what),
        path=path,
        line=line,
        column=column,
        hint=say("save the file as UTF-8 text"),
    )


class _Builder:
    """Builder of plain data from the parser's events; recursion ends at MAX_DEPTH."""

    def __init__(self, path: str, text: str, *, as_text: bool) -> None:
        self._path, self._as_text = path, as_text
        self._next: Callable[[], Any] = _LOADER(text).get_event
        self._places: dict[Where, tuple[int, int]] = {}
        self._values = 0
        self._escapes = "\\" in text

    def document(self) -> Document:
        try:
            self._next()  # the start of the stream
            event = self._next()
            is_one = isinstance(event, yaml.DocumentStartEvent)
            data = self._only_document(event) if is_one else None
        except yaml.MarkedYAMLError as error:
            mark = error.problem_mark or error.context_mark
            line, column = (mark.line + 1, mark.column + 1) if mark else (0, 0)
            reason = quoted(error.problem or error.context or "this is not YAML")
            raise self._error(line, column, reason, _syntax_hint(reason)) from None
        except (yaml.YAMLError, ValueError, OverflowError) as error:
            # PyYAML lets some of its own errors escape, such as chr() on "\UFFFFFFFF".
            raise self._error(
                0, 0, say("this is not YAML"), quoted(" ".join(str(error).split()))
            ) from None
        return Document(self._path, data, self._places)

    def _only_document(self, start: yaml.DocumentStartEvent) -> Any:
        if start.version or start.tags:
            self._refuse(
                start, say("a YAML directive is not allowed"), say("remove the line with '%'")
            )
        event = self._next()
        self._places[()] = _place(event)
        data = self._value(event, (), 0)
        self._next()  # the end of the document
        after = self._next()
        if isinstance(after, yaml.DocumentStartEvent):
            self._refuse(after, say("a second document begins"), say("keep one document a file"))
        return data

    def _value(self, event: Any, where: Where, depth: int) -> Any:
        """Return a value; the caller has noted its place."""
        self._values += 1
        if self._values > MAX_VALUES:
            self._refuse(
                event,
                say("the file has more than {most} values", most=MAX_VALUES),
                say("split it up"),
            )
        if event.anchor is not None:  # of an alias, too
            self._refuse(
                event,
                say("anchors and aliases are not allowed"),
                say("write the value again in full"),
            )
        if event.tag is not None:
            self._refuse(
                event, say("the tag {tag} is not allowed", tag=event.tag), say("remove it")
            )
        if isinstance(event, yaml.ScalarEvent):
            return self._scalar(event)
        if depth == MAX_DEPTH:
            self._refuse(
                event, say("nested more than {most} deep", most=MAX_DEPTH), say("use fewer levels")
            )
        if isinstance(event, yaml.SequenceStartEvent):
            return self._sequence(where, depth + 1)
        return self._mapping(where, depth + 1)

    def _sequence(self, where: Where, depth: int) -> list[Any]:
        items: list[Any] = []
        while not isinstance(event := self._next(), yaml.SequenceEndEvent):
            at = (*where, len(items))
            self._places[at] = _place(event)
            items.append(self._value(event, at, depth))
        return items

    def _mapping(self, where: Where, depth: int) -> dict[str, Any]:
        entries: dict[str, Any] = {}
        while not isinstance(event := self._next(), yaml.MappingEndEvent):
            key = self._key(event)
            at = (*where, key)
            if key in entries:
                first = self._places[at][0]
                self._refuse(
                    event,
                    say("the key '{key}' occurs twice", key=key),
                    say("first in line {line}", line=first),
                )
            self._places[at] = _place(event)
            entries[key] = self._value(self._next(), at, depth)
        return entries

    def _key(self, event: Any) -> str:
        if not isinstance(event, yaml.ScalarEvent) or event.anchor or event.tag:
            self._refuse(event, say("a key must be plain text"), UNSAID)
        return self._printable(event)

    def _scalar(self, event: yaml.ScalarEvent) -> str | int | float | bool | None:
        text = self._printable(event)
        if self._as_text or not event.implicit[0]:  # quoted or a block: always text
            return text
        if text in _NULL:
            return None
        if text in _BOOLEAN:
            return _BOOLEAN[text]
        if text[0] not in _NUMBERS_BEGIN:
            return text
        whole, real = _INTEGER.fullmatch(text), _FLOAT.fullmatch(text)
        if (whole or real) and len(text) > _LONGEST_NUMBER:
            self._refuse(event, say("the number has too many digits"), say("put text in quotes"))
        if whole:
            return int(text, 0) if text.startswith(("0o", "0x")) else int(text)
        return float(text) if real else text

    def _printable(self, event: Any) -> str:
        value: str = event.value
        # Of the text as a whole it is known already; an escape such as "\e" brings in others.
        if self._escapes and (odd := _UNPRINTABLE.search(value)):
            self._refuse(
                event,
                say("the character U+{code} is not allowed", code=f"{ord(odd[0]):04X}"),
                say("remove it"),
            )
        return value

    def _refuse(self, event: Any, reason: Sentence, hint: Sentence) -> NoReturn:
        mark = event.start_mark
        raise self._error(mark.line + 1, mark.column + 1, reason, hint)

    def _error(self, line: int, column: int, reason: Sentence, hint: Sentence) -> ConfigError:
        return ConfigError(reason, path=self._path, line=line, column=column, hint=hint)


def _place(event: Any) -> tuple[int, int]:
    mark = event.start_mark
    return mark.line + 1, mark.column + 1


def _syntax_hint(problem: str) -> Sentence:
    if "\\t" in problem or "tab" in problem:
        return say("indent with spaces, never with tabs")
    if "mapping values are not allowed" in problem:
        return say("put text that contains ': ' in quotes; check the indentation")
    return say("check indentation, quotes and brackets around this place")


def repeated(
    document: Document, values: Iterable[tuple[Any, Where]], reason: Sentence
) -> Iterator[ConfigError]:
    """Yield an error for each value that occurs twice, with the line of the first."""
    places = dict[Any, Where]()
    for value, where in values:
        if value in places:
            line, _ = document.place(places[value])
            yield document.error(reason, where, hint=say("first in line {line}", line=line))
        places.setdefault(value, where)


def dump(data: Any) -> bytes:
    """Return plain data as YAML, keys in their order.

    The same data gives the same octets.
    """
    text: str = yaml.dump(data, None, _DUMPER, allow_unicode=True, sort_keys=False, width=1_000)
    return text.encode()


_WIDTH = 88
_COMMENT = re.compile(
    r"(?:^(?P<indent> *)# (?! |SPDX-|yaml-language-server:)\S.*\n)(?:^(?P=indent)# (?! )\S.*\n)*",
    re.MULTILINE,
)


def comments(text: str) -> list[str]:
    """Return the comments of a YAML file, each as one line without its ``#``."""
    return [_joined(found) for found in _COMMENT.finditer(text)]


def in_language(text: str, language: Language) -> str:
    """Return a shipped YAML file in a language: its comments, and ``language:``."""

    def comment(found: re.Match[str]) -> str:
        prefix = f"{found['indent']}# "
        wrapped = textwrap.wrap(
            translated(quoted(_joined(found)), language),
            _WIDTH,
            initial_indent=prefix,
            subsequent_indent=prefix,
            break_long_words=False,
            break_on_hyphens=False,
        )
        return "".join(f"{line}\n" for line in wrapped)

    spoken = text if language == "en" else _COMMENT.sub(comment, text)
    return re.sub(r"^language: \w+$", f"language: {language}", spoken, flags=re.MULTILINE)


def _joined(found: re.Match[str]) -> str:
    return " ".join(line.strip().removeprefix("# ") for line in found[0].splitlines())
