# SPDX-License-Identifier: Apache-2.0
"""Names as values: the canonical wire form, its text, and its ancestors.

A name is ``bytes``: length-prefixed labels, lower-case, ending in the root's
zero octet (RFC 1035 §3.1, RFC 4034 §6.2). That form is the only key there is,
because two names differ exactly when their bytes differ; in text the one label
``a.b`` and the two labels ``a`` and ``b`` look alike unless the dot is escaped.
The functions here trust that form; ``cursor`` and ``from_text`` make it.
"""

from __future__ import annotations

import re
from itertools import islice
from typing import TYPE_CHECKING

from filterd.base.errors import NameTextError
from filterd.texts.i18n import say

if TYPE_CHECKING:
    from collections.abc import Iterator

ROOT = b"\0"
MAX_NAME_OCTETS = 255
MAX_LABEL_OCTETS = 63

_PLAIN_LABEL = re.compile(rb"[A-Za-z0-9_*/+=-]*").fullmatch
_ESCAPE_OR_CHARACTER = re.compile(r"\\[0-9]{3}|\\[^0-9]|[^\\]")
_SPECIAL = b'"$().;@\\'
"""Characters with a meaning in a zone file (RFC 1035 §5.1), or that end a label."""


def canonical(name: bytes) -> bytes:
    """Lower-case a well-formed uncompressed name.

    ``bytes.lower`` may run over the length octets too: they are at most 63, and
    the first octet that it changes is ``A``, 65.
    """
    return name.lower()


def labels(name: bytes) -> tuple[bytes, ...]:
    """Return the labels from left to right, without the root's empty one."""
    found = []
    offset = 0
    while length := name[offset]:
        found.append(name[offset + 1 : offset + 1 + length])
        offset += length + 1
    return tuple(found)


def from_labels(parts: tuple[bytes, ...]) -> bytes:
    """Return the canonical name of these labels.

    Raises:
        NameTextError: a label is empty or too long, or the name is.
    """
    for index, part in enumerate(parts):
        if not 0 < len(part) <= MAX_LABEL_OCTETS:
            raise NameTextError(
                say("a label has {count} octets, not 1 to 63", count=len(part)), index
            )
    name = b"".join([bytes((len(part),)) + part for part in parts]) + ROOT
    if len(name) > MAX_NAME_OCTETS:
        raise NameTextError(say("the name has {count} octets, more than 255", count=len(name)))
    return name.lower()


def suffixes(name: bytes) -> Iterator[bytes]:
    """Yield the name itself, then each ancestor, nearest first; the root is left out."""
    offset = 0
    while length := name[offset]:
        yield name[offset:]
        offset += length + 1


def ancestors(name: bytes) -> Iterator[bytes]:
    """Yield each ancestor of a name, nearest first; the root is left out."""
    return islice(suffixes(name), 1, None)


def parent(name: bytes) -> bytes:
    """Return the name without its first label; the root is its own parent."""
    return name[name[0] + 1 :] or ROOT


def count_labels(name: bytes) -> int:
    """Return the number of labels; the root has none."""
    count = offset = 0
    while length := name[offset]:
        count += 1
        offset += length + 1
    return count


def is_at_or_beneath(name: bytes, ancestor: bytes) -> bool:
    """Return whether ``name`` is ``ancestor`` or lies beneath it.

    Equal endings are not enough: they must begin where a label begins, or
    a label that ends in the octets of ``ancestor`` would pass for it.
    """
    if not name.endswith(ancestor):
        return False
    offset, boundary = 0, len(name) - len(ancestor)
    while offset < boundary:
        offset += name[offset] + 1
    return offset == boundary


def from_text(text: str) -> bytes:
    r"""Parse presentation form (RFC 1035 §5.1): dots, ``\DDD``, ``\X``.

    Letters become lower-case. Only visible ASCII is taken; a name in other
    letters must have become A-labels before (RFC 5890).

    Raises:
        NameTextError: the text is no name. ``offset`` is a place in it.
    """
    return from_labels(labels_from_text(text))


def labels_from_text(text: str) -> tuple[bytes, ...]:
    """Parse presentation form into labels, letter case kept.

    Raises:
        NameTextError: the text has no such form; labels may still be empty or too long.
    """
    if not (text.isascii() and text.isprintable()) or " " in text:
        place = next(i for i, c in enumerate(text) if not "!" <= c <= "~")
        code = f"U+{ord(text[place]):04X}"
        shown = f"'{text[place]}' ({code})" if text[place].isprintable() else code
        raise NameTextError(say("{shown} is not visible ASCII", shown=shown), place)
    if text == ".":
        return ()
    if "\\" in text:
        return _unescape(text)
    return tuple(text.removesuffix(".").encode().split(b"."))


def _unescape(text: str) -> tuple[bytes, ...]:
    """Split text with escapes into labels; an escaped dot is part of its label."""
    parts = [bytearray()]
    position = 0
    while position < len(text):
        match = _ESCAPE_OR_CHARACTER.match(text, position)
        if match is None:
            raise NameTextError(
                say("a backslash before neither a character nor three digits"), position
            )
        piece, position = match.group(), match.end()
        if piece == ".":
            parts.append(bytearray())
        else:
            parts[-1].append(_octet(piece, match.start()))
    if not parts[-1]:
        parts.pop()
    return tuple(bytes(part) for part in parts)


def _octet(escaped: str, position: int) -> int:
    if len(escaped) < 4:
        return ord(escaped[-1])
    value = int(escaped[1:])
    if value > 255:
        raise NameTextError(
            say("{escaped} is more than an octet can hold", escaped=escaped), position
        )
    return value


def to_text(name: bytes) -> str:
    r"""Return presentation form: visible ASCII, no final dot except the root's ``.``.

    Different names have different texts, and ``from_text`` gives back the name.
    """
    return ".".join([_label_text(label) for label in labels(name)]) or "."


def _label_text(label: bytes) -> str:
    if _PLAIN_LABEL(label):
        return label.decode("ascii")
    return "".join([_TEXT_OF_OCTET[octet] for octet in label])


def _octet_text(octet: int) -> str:
    if octet in _SPECIAL:
        return "\\" + chr(octet)
    return chr(octet) if 0x21 <= octet <= 0x7E else f"\\{octet:03d}"


_TEXT_OF_OCTET = tuple(_octet_text(octet) for octet in range(256))
