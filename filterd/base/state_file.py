# SPDX-License-Identifier: Apache-2.0
"""Write frozen dataclasses as JSON and as files that show damage by failing cards.

The JSON follows the dataclasses field by field, in both directions. Octets are
hexadecimal. A file has three lines: its kind and version, the SHA-256 of the third line,
and the JSON. The checksum shows a damaged file, so that the last good copy is used
instead; it is no signature.

A kind of file that an earlier release wrote in another form names a reader of that
form (``legacy``): the file is read as it is, and the next write has the new form.

The standard library does it all, because the serving process loads this.
"""

from __future__ import annotations

import hashlib
import json
import math
import re
from dataclasses import Field, fields, is_dataclass
from enum import Enum
from functools import cache
from types import MappingProxyType, NoneType, UnionType
from typing import (
    TYPE_CHECKING,
    Any,
    Generic,
    TypeAlias,
    TypeVar,
    get_args,
    get_origin,
    get_type_hints,
)

from filterd.base.errors import StoreError
from filterd.base.paths import read_plain, write_atomically
from filterd.texts import i18n
from filterd.texts.i18n import Sentence, refused, say

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping
    from pathlib import Path

    Decoder: TypeAlias = Callable[[Any], Any]

ValueT = TypeVar("ValueT")

ADDED = "added"
"""In the metadata of a field with a default: files of earlier releases do not have it."""

IDS = "ids"
"""In the metadata of a field: it has ids of versions; in files those of a feed are numbers."""

MOST_OCTETS = 64 << 20
"""Of a file: more than any that is written, less than would take the memory from others."""

_WORDS = {"Sentence": Sentence, "Mapping": dict}
"""What most dataclasses name in annotations only."""
_PLAIN = frozenset({str, int, float, bool, NoneType})
_is_number = re.compile(r"0|-?[1-9][0-9]{0,17}", re.ASCII).fullmatch
_MALFORMED = (KeyError, TypeError, ValueError, AttributeError, RecursionError)
"""What plain data raises that is none of ours."""
_TITLE, _REMEDY = say("state file of filterd"), say("filterd writes it again")


def to_plain(value: Any) -> Any:
    """Return a dataclass, or the value of a field, as JSON types.

    A field that is ``ADDED`` is left out if it is empty.
    """
    kind = value.__class__
    return value if kind in _PLAIN else _encoder_of(kind)(value)


_ENCODERS: dict[type, Callable[[Any], Any]] = {
    bytes: bytes.hex,
    Sentence: i18n.to_plain,
    tuple: lambda value: [to_plain(one) for one in value],
    frozenset: lambda value: sorted([to_plain(one) for one in value]),
    dict: lambda value: {key: to_plain(one) for key, one in value.items()},
    Enum: lambda value: value.value,
    object: lambda value: value,
}


@cache
def _encoder_of(kind: type) -> Callable[[Any], Any]:
    """Return what makes plain data of a ``kind``; a policy has thousands of values."""
    if is_dataclass(kind):
        return _encoder_of_dataclass(fields(kind))
    return next(encode for of, encode in _ENCODERS.items() if issubclass(kind, of))


def _encoder_of_dataclass(found: Iterable[Field[Any]]) -> Callable[[Any], Any]:
    known = [(one.name, ADDED in one.metadata, one.default, IDS in one.metadata) for one in found]

    def encode(value: Any) -> dict[str, Any]:
        plain = {}
        for name, is_added, default, has_ids in known:
            held = getattr(value, name)
            if is_added and held == default:
                continue
            if held.__class__ not in _PLAIN:
                held = to_plain(held)
            plain[name] = _ids(plain_version, held) if has_ids else held
        return plain

    return encode


def plain_version(version: str) -> int | str:
    """Return the id of a version for files and ``--json``: that of a feed is a number."""
    return int(version) if _is_number(version) else version


def _ids(change: Callable[[Any], Any], value: Any) -> Any:
    """Change each id of a field, of one of them or of a list."""
    if isinstance(value, list):
        return [change(one) for one in value]
    return None if value is None else change(value)


def _id_of(value: Any) -> Any:
    return str(value) if type(value) is int else value


def to_json(value: Any) -> str:
    """Return it as JSON in one line; equal values give equal text."""
    return json.dumps(to_plain(value), ensure_ascii=False, separators=(",", ":"))


def to_octets(value: Any) -> bytes:
    """Return the same as octets, whatever a text holds: file names need not be UTF-8."""
    return to_json(value).encode("utf-8", "surrogatepass")


class Decoders:
    """What turns plain data back into dataclasses; made once for each type.

    Args:
        words: the names that modules import for their annotations only.
    """

    def __init__(self, words: Mapping[str, Any]) -> None:
        self._words, self._made = {**_WORDS, **words}, dict[Any, "Decoder"]()

    def of(self, kind: Any) -> Decoder:
        """Return what makes a ``kind`` of plain data.

        It raises KeyError, TypeError or ValueError where the data is none that
        ``to_plain`` makes of a ``kind``.
        """
        if kind not in self._made:
            self._made[kind] = self._make(kind)
        return self._made[kind]

    def _make(self, kind: Any) -> Decoder:
        if is_dataclass(kind):
            return self._of_dataclass(kind)
        if get_origin(kind) is not None:
            return self._of_collection(get_origin(kind), get_args(kind))
        if kind in _SPECIAL:
            return _SPECIAL[kind]
        if issubclass(kind, Enum):
            member: Decoder = kind  # calling it looks the member up
            return member

        def scalar(value: Any) -> Any:
            if type(value) is not kind:  # true is no number
                raise TypeError
            return value

        return scalar

    def _of_dataclass(self, kind: Any) -> Decoder:
        hints = get_type_hints(kind, localns=self._words)
        decoders = {field.name: self._of_field(field, hints[field.name]) for field in fields(kind)}
        needed = {field.name for field in fields(kind) if ADDED not in field.metadata}

        def build(content: Any) -> Any:
            if not isinstance(content, dict):
                raise TypeError
            if not needed <= content.keys() <= decoders.keys():
                raise ValueError
            return kind(**{name: decoders[name](value) for name, value in content.items()})

        return build

    def _of_field(self, field: Field[Any], hint: Any) -> Decoder:
        decoder = self.of(hint)
        if IDS not in field.metadata:
            return decoder
        return lambda content: decoder(_ids(_id_of, content))

    def _of_collection(self, origin: Any, arguments: tuple[Any, ...]) -> Decoder:
        if origin is UnionType:  # there is only "... | None"
            inner = self.of(next(argument for argument in arguments if argument is not NoneType))
            return lambda value: None if value is None else inner(value)
        if origin is dict:
            item = self.of(arguments[1])
            return lambda content: {key: item(value) for key, value in content.items()}
        item = self.of(arguments[0])

        def collection(content: Any) -> Any:
            if type(content) not in (list, tuple):  # a text has items, too
                raise TypeError
            return origin(map(item, content))

        return collection


def _number(value: Any) -> float:
    """Return a number that JSON has, and that is finite.

    Those without a fraction may be written so.

    Raises:
        TypeError, ValueError: it is none.
    """
    if type(value) not in (int, float):
        raise TypeError
    try:
        if math.isfinite(value):
            return value  # type: ignore[no-any-return]
    except OverflowError:
        pass
    raise ValueError


_SPECIAL: dict[Any, Decoder] = {
    bytes: bytes.fromhex,
    float: _number,
    Sentence: i18n.from_plain,
    Any: lambda value: value,
}


class FileFormat(Generic[ValueT]):
    """A kind of file that holds one value.

    Args:
        kind: the dataclass.
        magic: the beginning of the first line.
        version: the end of that line; another one is refused.
        title, remedy: the name of such a file in errors, and their remedy.
        words: as ``Decoders`` takes them.
        most_octets: a longer file is none of ours.
        legacy: makes plain data of a file that an earlier release wrote in another form; it
            raises KeyError, TypeError or ValueError for any other file.
    """

    def __init__(
        self,
        kind: type[ValueT],
        *,
        magic: bytes,
        version: bytes = b"1",
        title: Sentence = _TITLE,
        remedy: Sentence = _REMEDY,
        words: Mapping[str, Any] = MappingProxyType({}),
        most_octets: int = MOST_OCTETS,
        legacy: Decoder | None = None,
    ) -> None:
        self._kind, self._decoders = kind, Decoders(words)
        self._magic, self._version, self._most_octets = magic, version, most_octets
        self._title, self._remedy, self._legacy = title, remedy, legacy

    def save(self, path: Path, value: ValueT) -> None:
        """Replace the file ``path``; a power cut leaves the old one or the new one.

        Raises:
            StoreError: the disk refused; the old file is untouched.
        """
        write_atomically(path, self.dump(value))

    def read(self, path: Path) -> ValueT | None:
        """Return what the file ``path`` holds; None where it is missing or not sound."""
        try:
            return self.load(path)
        except StoreError:
            return None

    def load(self, path: Path) -> ValueT:
        """Return what the file ``path`` holds.

        Raises:
            StoreError: it is missing, damaged, or of another version.
        """
        try:
            content = read_plain(path, self._most_octets)
        except OSError as error:
            raise StoreError(
                say(
                    "{path}: cannot be read: {why}; {remedy}",
                    path=path,
                    why=refused(error),
                    remedy=self._remedy,
                )
            ) from error
        return self.parse(content, str(path))

    def dump(self, value: ValueT) -> bytes:
        """Return the content of a file; equal values give equal octets."""
        body = to_octets(value)
        return b"%s%s\n%s\n%s\n" % (self._magic, self._version, checksum(body), body)

    def parse(self, content: bytes, path: str) -> ValueT:
        """Return the value that a file's content holds; ``path`` is what errors call it.

        Raises:
            StoreError: it is damaged, or of another version.
        """
        magic, _, rest = content.partition(b"\n")
        stated, _, body = rest.partition(b"\n")
        body = body.removesuffix(b"\n")
        values = {"path": path, "remedy": self._remedy}
        if not magic.startswith(self._magic):
            if self._legacy is not None:
                return self._decoded(self._legacy, content, path)
            raise StoreError(
                say("{path}: this is not a {title}; {remedy}", title=self._title, **values)
            )
        if magic != self._magic + self._version:
            raise StoreError(
                say("{path}: written by another version of filterd; {remedy}", **values)
            )
        if stated != checksum(body):
            raise StoreError(say("{path}: damaged, its checksum is wrong; {remedy}", **values))
        return self._decoded(json.loads, body, path)

    def _decoded(self, read: Decoder, content: bytes, path: str) -> ValueT:
        try:
            value = self._decoders.of(self._kind)(read(content))
        except _MALFORMED as error:
            raise StoreError(
                say("{path}: written by another filterd; {remedy}", path=path, remedy=self._remedy)
            ) from error
        assert isinstance(value, self._kind)
        return value


def digest(value: Any) -> str:
    """Return twelve hexadecimal digits that name the content of a value."""
    return checksum(to_octets(value)).decode()[:12]


def checksum(body: bytes) -> bytes:
    """Return the SHA-256 as hexadecimal digits."""
    return hashlib.sha256(body).hexdigest().encode()
