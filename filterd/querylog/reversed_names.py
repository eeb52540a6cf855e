# SPDX-License-Identifier: Apache-2.0
r"""Names as the log stores them: presentation form with the labels from the right.

``www.tiktok.com`` is ``com.tiktok.www``, so that a subtree is one range of the ordered
texts. Octets that are not visible ASCII are escaped (RFC 1035 section 5.1), dots and
backslashes within a label too; so different names have different texts.
"""

from __future__ import annotations

from typing import NamedTuple

from filterd.wire import name as names


class NameRange(NamedTuple):
    """The texts of a subtree: ``top``, and those from ``low`` to below ``high``."""

    top: str
    low: str
    high: str


def reversed_text(name: bytes) -> str:
    """Return the text of a name in canonical wire form; ``.`` for the root."""
    return ".".join(names.to_text(one) for one in _single(name)) or "."


def name_of(text: str) -> bytes:
    """Return the name of a text.

    Raises:
        NameTextError: it is no such text.
    """
    return names.from_labels(tuple(reversed(names.labels_from_text(text))))


def plain_text(text: str) -> str:
    """Return a text as people write the name: with the labels from the left."""
    return names.to_text(name_of(text)) if "\\" in text else ".".join(text.split(".")[::-1])


def subtree(name: bytes) -> NameRange:
    """Return the range of a name and everything beneath it.

    ``/`` is the next character after the dot that ends a label.
    """
    if name == names.ROOT:
        return NameRange(".", "", "\x7f")
    text = reversed_text(name)
    return NameRange(text, f"{text}.", f"{text}/")


def _single(name: bytes) -> list[bytes]:
    """Return each label as a name of its own, the last label first."""
    return [names.from_labels((label,)) for label in reversed(list(names.labels(name)))]
