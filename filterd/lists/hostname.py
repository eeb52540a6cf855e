# SPDX-License-Identifier: Apache-2.0
r"""Host names: text of lists to keys of the index, and back.

A *key* is the labels of a name from the right to the left, each followed by a
NUL: ``www.example.com`` is ``b"com\0example\0www\0"``. Sorted as plain bytes, a
name is then a prefix of everything beneath it and directly followed by it. Keys
hold only ``[a-z0-9_-]`` beside the NUL, so they are unambiguous; a name of the
wire with any other octet has no key, and nothing in a list can mean it.

Hyphens and underscores may stand anywhere in a label: registries are stricter, the DNS
is not (RFC 2181 §11), and names like ``_dmarc`` or ``-x.example`` are looked up every
day. The kind of a text that is no name is determined only afterwards: a list has a
million good lines.
"""

from __future__ import annotations

import re
from ipaddress import ip_address
from typing import TYPE_CHECKING

from filterd.base.errors import NameTextError
from filterd.lists.report import Reason
from filterd.texts.i18n import Sentence, quoted, say

if TYPE_CHECKING:
    from collections.abc import Callable

MAX_TEXT = 253
"""Characters of the longest name without its final dot: 255 octets of wire (RFC 1035 §2.3.4)."""

_MAX_UNICODE_TEXT = 4 * MAX_TEXT
"""Bound of the work for U-labels: no text beyond it can become a name of 255 octets."""

_plain = re.compile(r"(?:[a-z0-9_-]{1,63}\.)+[a-z0-9_-]{1,63}", re.ASCII).fullmatch
_label = re.compile(r"[a-z0-9_-]{1,63}", re.ASCII).fullmatch
_wire_label = re.compile(rb"[a-z0-9_-]+").fullmatch
_only_numbers = re.compile(r"\d+(?:\.\d+)+\.?", re.ASCII).fullmatch
_undecoded = re.compile(r"[\ud800-\udfff]").search  # made by errors="surrogateescape"


class HostnameError(NameTextError):
    """A text is no host name that a list may hold; ``reason`` is the reason."""

    reason: Reason

    def __init__(self, text: str, reason: Reason) -> None:
        super().__init__(reason)
        self.text = text

    @property
    def sentence(self) -> Sentence:
        """The text and its problem, for people."""
        shown = self.text if len(self.text) <= MAX_TEXT else f"{self.text[:MAX_TEXT]}..."
        return say("{text} {why}", text=repr(shown), why=quoted(self.reason.explanation))

    def __str__(self) -> str:
        return str(self.sentence)


def key_from_text(text: str) -> bytes:
    """Return the key of a host name written as text.

    Args:
        text: U-labels or A-labels in any case and normal form, with or without
            a final dot.

    Returns:
        The key: at least two labels, lower-case A-labels.

    Raises:
        HostnameError: the text is no host name; ``reason`` is its kind.
    """
    lower = text.lower().removesuffix(".")
    if (
        _plain(lower) is None
        or len(lower) > MAX_TEXT
        or "xn--" in lower
        or lower[-1] in "0123456789"  # perhaps an address; no top-level domain ends so
    ):
        lower = _careful(text)
    labels = lower.split(".")
    labels.reverse()
    labels.append("")
    return "\0".join(labels).encode("ascii")


def key_from_name(name: bytes) -> bytes | None:
    r"""Return the key of a lower-case wire name; ``b""`` for the root.

    Returns:
        None where a label has an octet that host names do not have: no list
        can mean such a name.
    """
    labels = [b""]
    offset = 0
    while length := name[offset]:
        label = name[offset + 1 : offset + 1 + length]
        if _wire_label(label) is None:
            return None
        labels.append(label)
        offset += 1 + length
    labels.reverse()
    return b"\0".join(labels)


def name_from_key(key: bytes) -> bytes:
    """Return the wire name of a key."""
    labels = key.split(b"\0")[-2::-1]
    return b"".join([bytes((len(label),)) + label for label in labels]) + b"\0"


def text_from_key(key: bytes) -> str:
    """Return the name as people write it, without a final dot; ``.`` for the root."""
    return ".".join(key.decode("ascii").split("\0")[-2::-1]) or "."


def uts46_mapped(text: str) -> str:
    """Return a name in the one form of UTS 46: lower case, NFC, plain dots.

    Raises:
        UnicodeError: a character is not allowed.
    """
    import idna  # noqa: PLC0415 -- its tables are large, and the serving process never asks

    return idna.uts46_remap(text, std3_rules=False, transitional=False)


def a_label(label: str) -> str:
    """Return the A-label of a U-label (RFC 5890).

    Raises:
        UnicodeError: it is none.
    """
    import idna  # noqa: PLC0415 -- as above

    return idna.alabel(label).decode("ascii")


def _careful(text: str) -> str:
    """Return the name in lower-case A-labels without a final dot, fully checked."""
    if len(text) > _MAX_UNICODE_TEXT:
        raise HostnameError(text, Reason.TOO_LONG)
    mapped = text.lower() if text.isascii() else _mapped(text)
    labels = mapped.removesuffix(".").split(".")
    if not all(labels) or _is_address(mapped):
        raise HostnameError(text, _what_else(text))
    name = ".".join([_checked_label(label, text) for label in labels])
    if len(name) > MAX_TEXT:
        raise HostnameError(text, Reason.TOO_LONG)
    if len(labels) == 1:
        raise HostnameError(text, Reason.SINGLE_LABEL)
    return name


def _mapped(text: str) -> str:
    try:
        return uts46_mapped(text)
    except UnicodeError:
        raise HostnameError(text, _what_else(text, Reason.BAD_IDN)) from None


def _checked_label(label: str, text: str) -> str:
    """Return one label in ASCII; ``text`` is the whole name, for the error."""
    if not label.isascii():
        return _to_ascii(label, text)
    if _label(label) is None:
        raise HostnameError(text, _what_else(text))
    if label.startswith("xn--") and not _decodes(label):
        raise HostnameError(text, Reason.BAD_IDN)
    return label


def _to_ascii(label: str, text: str) -> str:
    try:
        return a_label(label)
    except UnicodeError:
        raise HostnameError(text, _what_else(text, Reason.BAD_IDN)) from None


def _decodes(label: str) -> bool:
    """Return whether an A-label is the one valid Punycode of a text (RFC 3492).

    Deliberately not whether IDNA 2008 allows that text: names with emoji are registered
    and looked up.
    """
    try:
        decoded = label[4:].encode("ascii").decode("punycode")
        return not decoded.isascii() and decoded.encode("punycode").decode("ascii") == label[4:]
    except UnicodeError:
        return False


def _is_address(text: str) -> bool:
    """Return whether a text is an address, or a part of one as in lists of networks."""
    if _only_numbers(text):
        return True  # 999.1.1.1 and 192.168 are no addresses, and no names either
    if ":" not in text:
        return False
    try:
        ip_address(text.removeprefix("[").removesuffix("]"))
    except ValueError:
        return False
    return True


_KINDS: tuple[tuple[Callable[[str], object], Reason], ...] = (
    (_undecoded, Reason.UNKNOWN_ENCODING),
    (_is_address, Reason.IP_ADDRESS),
    (frozenset({".", "*", "*."}).__contains__, Reason.EVERYTHING),
    (re.compile(r"/").search, Reason.URL_WITH_PATH),
    (re.compile(r"[*?]").search, Reason.UNSUPPORTED_PATTERN),
    (re.compile(r"[^.]{64}").search, Reason.TOO_LONG),
)
"""The kinds of texts that are no names; the first that fits is reported."""


def _what_else(text: str, otherwise: Reason = Reason.NOT_A_NAME) -> Reason:
    """Return the kind of a text that is no name, as precisely as possible."""
    return next((reason for is_kind, reason in _KINDS if is_kind(text)), otherwise)
