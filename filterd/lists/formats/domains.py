# SPDX-License-Identifier: Apache-2.0
"""Plain names, one a line: squidGuard and UT1, and lists with leading stars.

In ``domains`` files a name stands for itself and everything beneath it. ``.example.com`` and
``*.example.com`` are other ways to write the same. ``#`` starts a comment at
the start of a line or after white space.

In ``wildcard`` lists, those of dnscrypt-proxy and blocky, ``*.example.com`` is, as both
define it, the name *and* everything beneath it: unlike the wildcard of the DNS (RFC 4592),
which leaves the name itself out. A bare name and ``.example.com`` mean the same,
``=example.com`` is that host alone. Stars elsewhere, ``?`` and ``[]`` are patterns over
characters; ``@schedule`` makes an entry depend on the time of day, which policy decides.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from filterd.lists.formats.parsed import (
    BLOCK_EXACT,
    BLOCK_SUBTREE,
    MAX_LINE,
    Entry,
    Parsed,
    PlainLine,
    problem,
)
from filterd.lists.report import Reason

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator


DOMAINS_PLAIN = (PlainLine("", "", BLOCK_SUBTREE),)

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


WILDCARD_PLAIN = (
    PlainLine("", "", BLOCK_SUBTREE),
    PlainLine("*.", "", BLOCK_SUBTREE),
    PlainLine("=", "", BLOCK_EXACT),
)

_leading_star = re.compile(r"\*\.([a-z0-9_-][a-z0-9_.-]*)", re.ASCII | re.IGNORECASE).fullmatch
_pattern = re.compile(r"[*?\[\]]").search


def parse_wildcard(lines: Iterable[str]) -> Iterator[Parsed]:
    """Yield the entries and problems of a list of leading wildcards."""
    for number, line in enumerate(lines, 1):
        if not line:
            continue
        if len(line) > MAX_LINE:
            yield problem(number, Reason.TOO_LONG, line)
        elif match := _leading_star(line):
            yield Entry(number, match[1], BLOCK_SUBTREE)
        elif text := without_comment(line):
            yield _wildcard_entry(number, text)


def _wildcard_entry(number: int, text: str) -> Parsed:
    name, *rest = text.split()
    if rest:
        scheduled = rest[0].startswith("@")
        reason = Reason.UNSUPPORTED_OPTION if scheduled else Reason.BAD_SYNTAX
        return problem(number, reason, text)
    if "/" in name:
        regular = len(name) > 1 and name.startswith("/") and name.endswith("/")
        reason = Reason.REGULAR_EXPRESSION if regular else Reason.URL_WITH_PATH
        return problem(number, reason, text)
    if name in {"*", "*."}:
        return problem(number, Reason.EVERYTHING, text)
    claim = BLOCK_EXACT if name.startswith("=") else BLOCK_SUBTREE
    name = name[2:] if name.startswith("*.") else name.removeprefix("=").removeprefix(".")
    if not name or _pattern(name):
        return problem(number, Reason.UNSUPPORTED_PATTERN, text)
    return Entry(number, name, claim)
