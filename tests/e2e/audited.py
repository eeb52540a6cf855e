# SPDX-License-Identifier: Apache-2.0
"""Watch what this process opens, connects to and starts (PEP 578)."""

from __future__ import annotations

import contextlib
import sys
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterator

_watched: list[tuple[str, list[str]]] = []
_has_hook: list[bool] = []
_OF_THE_INTERPRETER = ("compile", "exec", "marshal.", "object.", "code.", "cpython.")


@contextlib.contextmanager
def events_with(mark: str) -> Iterator[list[str]]:
    """Yield the events in whose arguments a text with ``mark`` stands, as they come.

    A hook cannot be taken out again, so there is one for all tests.
    """
    if not _has_hook:
        _has_hook.append(True)
        sys.addaudithook(_look)
    seen: list[str] = []
    _watched.append((mark, seen))
    try:
        yield seen
    finally:
        _watched.remove((mark, seen))


def _look(event: str, arguments: tuple[Any, ...]) -> None:
    if not _watched or event.startswith(_OF_THE_INTERPRETER):
        return
    for mark, seen in _watched:
        if any(mark in text for text in _texts(arguments)):
            seen.append(f"{event}{arguments!r}"[:400])


def _texts(value: Any) -> Iterator[str]:
    """Yield all texts in the arguments of an event."""
    match value:
        case str():
            yield value
        case bytes():
            yield value.decode("utf-8", "replace")
        case tuple() | list():
            for one in value:
                yield from _texts(one)
        case dict():
            for item in value.items():
                yield from _texts(item)
        case _ if hasattr(value, "__fspath__"):
            yield from _texts(value.__fspath__())
