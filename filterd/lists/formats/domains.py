# SPDX-License-Identifier: Apache-2.0
"""Plain names, one a line: the ``domains`` files of squidGuard and of UT1.

A name stands for itself and everything beneath it. ``.example.com`` and
``*.example.com`` are other ways to write the same. ``#`` starts a comment at
the start of a line or after white space.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from filterd.lists.formats.parsed import BLOCK_SUBTREE, MAX_LINE, Entry, Parsed, PlainLine, problem
from filterd.lists.report import Reason

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

PLAIN = (PlainLine("", "", BLOCK_SUBTREE),)

_only_a_name = re.compile(r"[a-z0-9_][a-z0-9_.-]*", re.ASCII | re.IGNORECASE).fullmatch
_comment = re.compile(r"(?:^|\s)#")


def parse_domains(lines: Iterable[str]) -> Iterator[Parsed]:
    """Yield the entries and problems of a ``domains`` file."""
    for number, line in enumerate(lines, 1):
        if not line:
            continue
        if len(line) > MAX_LINE:
            yield problem(number, Reason.TOO_LONG, line)
        elif _only_a_name(line):
            yield Entry(number, line, BLOCK_SUBTREE)
        elif text := without_comment(line):
            yield _entry(number, text)


def without_comment(line: str) -> str:
    """Return the text before a comment (``#`` at the start or after space), stripped."""
    if "#" in line and (comment := _comment.search(line)):
        line = line[: comment.start()]
    return line.strip()


def _entry(number: int, text: str) -> Parsed:
    if "/" in text:
        return problem(number, Reason.URL_WITH_PATH, text)
    if text.split(None, 1)[0] != text:
        return problem(number, Reason.BAD_SYNTAX, text)
    name = text[2:] if text.startswith("*.") else text.removeprefix(".")
    return Entry(number, name or text, BLOCK_SUBTREE)
