# SPDX-License-Identifier: Apache-2.0
"""Type what reports use of an XML element, since lxml ships no types."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol, overload

from lxml import etree

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

WORD = "{http://schemas.openxmlformats.org/wordprocessingml/2006/main}"
"""The namespace of a Word document, as it stands before the names of elements."""


class XmlElement(Protocol):
    """An element: its attributes by key, its children in order."""

    tag: str
    text: str | None

    def __len__(self) -> int: ...
    def __iter__(self) -> Iterator[XmlElement]: ...
    def __getitem__(self, at: int) -> XmlElement: ...
    def __delitem__(self, at: slice) -> None: ...

    @overload
    def get(self, key: str) -> str | None: ...
    @overload
    def get(self, key: str, default: str) -> str: ...

    def set(self, key: str, value: str) -> None:
        """Set an attribute."""

    def keys(self) -> list[str]:
        """Return the names of the attributes."""

    def values(self) -> list[str]:
        """Return the values of the attributes."""

    def items(self) -> list[tuple[str, str]]:
        """Return the attributes."""

    def find(self, path: str) -> XmlElement | None:
        """Return the first element at a path."""

    def findall(self, path: str) -> list[XmlElement]:
        """Return all elements at a path."""

    def iter(self, *tags: object) -> Iterator[XmlElement]:
        """Yield the element and all in it that have one of the tags."""

    def itertext(self, tag: str) -> Iterator[str]:
        """Yield the texts within elements of a tag."""

    def append(self, element: XmlElement) -> None:
        """Add a last child."""

    def insert(self, at: int, element: XmlElement) -> None:
        """Add a child before the one at an index."""

    def remove(self, element: XmlElement) -> None:
        """Remove a child."""

    def getparent(self) -> XmlElement | None:
        """Return the element that holds this one."""

    def getprevious(self) -> XmlElement | None:
        """Return the element before it in its parent."""

    def getnext(self) -> XmlElement | None:
        """Return the element behind it in its parent."""

    def addprevious(self, element: XmlElement) -> None:
        """Put an element before it."""

    def addnext(self, element: XmlElement) -> None:
        """Put an element behind it."""


def new_element(tag: str, attributes: Mapping[str, str] | None = None) -> XmlElement:
    """Return an element that stands nowhere yet."""
    made: XmlElement = etree.Element(tag, attributes)
    return made


def add_child(
    parent: XmlElement, tag: str, attributes: Mapping[str, str] | None = None
) -> XmlElement:
    """Add an element behind the children of another, and return it."""
    made: XmlElement = etree.SubElement(parent, tag, attributes)
    return made


def remove_from_parent(element: XmlElement) -> None:
    """Remove an element and all in it from the element that holds it, if one does."""
    parent = element.getparent()
    if parent is not None:
        parent.remove(element)


def text_of(element: XmlElement) -> str:
    """Return the text that Word shows of an element and all in it."""
    return "".join(one.text or "" for one in element.iter(f"{WORD}t"))
