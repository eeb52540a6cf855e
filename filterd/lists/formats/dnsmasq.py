# SPDX-License-Identifier: Apache-2.0
"""dnsmasq configuration: ``address=/name/``, ``local=/name/``, ``server=/name/#``.

A domain in dnsmasq is the name and everything beneath it; ``*.name`` only what
is beneath. No address, ``#``, or an address that leads nowhere blocks; so does a
domain without a server. ``server=/name/#`` sends a domain to the usual servers
after all: an exception, which yields to a longer name. A real address or server
is a redirection, and every other option is about something else.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from filterd.lists.formats.domains import without_comment
from filterd.lists.formats.hosts import is_sinkhole
from filterd.lists.formats.parsed import (
    BLOCK_SUBDOMAINS,
    BLOCK_SUBTREE,
    EXCEPT_SUBTREE_SPECIFIC,
    MAX_LINE,
    Entry,
    Parsed,
    PlainLine,
    problem,
)
from filterd.lists.report import Reason
from filterd.lists.rules import Claim, Effect, Scope

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

_EXCEPT_SUBDOMAINS = Claim(Scope.SUBDOMAINS, Effect.EXCEPT, specific=True)

PLAIN = (PlainLine("address=/", "/", BLOCK_SUBTREE), PlainLine("local=/", "/", BLOCK_SUBTREE))

_common = re.compile(
    r"address=/([a-z0-9_-][a-z0-9_.-]*)/(?:#|0\.0\.0\.0|::)?"
    r"|(?:local|server)=/([a-z0-9_-][a-z0-9_.-]*)/"
).fullmatch


def parse_dnsmasq(lines: Iterable[str]) -> Iterator[Parsed]:
    """Yield the entries and problems of a dnsmasq configuration."""
    for number, line in enumerate(lines, 1):
        if not line:
            continue
        if len(line) > MAX_LINE:
            yield problem(number, Reason.TOO_LONG, line)
        elif match := _common(line):
            yield Entry(number, match[1] or match[2], BLOCK_SUBTREE)
        elif text := without_comment(line):
            yield from _option(number, text)


def _option(number: int, text: str) -> Iterator[Parsed]:
    option, _, value = text.partition("=")
    option, value = option.strip(), value.strip().strip('"')
    if option not in {"address", "local", "server"} or not value.startswith("/"):
        yield problem(number, Reason.UNSUPPORTED_OPTION, text)
        return
    *domains, target = value[1:].split("/")
    if not domains:
        yield problem(number, Reason.BAD_SYNTAX, text)
        return
    effect = _effect(option, target)
    if effect is None:
        yield problem(number, Reason.UNSUPPORTED_OPTION, text)
        return
    for domain in domains:
        yield _domain(number, domain, effect, text)


def _effect(option: str, target: str) -> Effect | None:
    """Return the effect of a target; None if it neither blocks nor excepts."""
    if not target:
        return Effect.BLOCK
    if option == "address":
        return Effect.BLOCK if target == "#" or is_sinkhole(target) else None
    return Effect.EXCEPT if target == "#" else None


def _domain(number: int, domain: str, effect: Effect, text: str) -> Parsed:
    if domain in {"#", "*"}:
        return problem(number, Reason.EVERYTHING, text)
    if not domain:  # names of one label, by definition of "//"
        return problem(number, Reason.SINGLE_LABEL, text)
    if domain.startswith("*."):
        blocks = effect is Effect.BLOCK
        return Entry(number, domain[2:], BLOCK_SUBDOMAINS if blocks else _EXCEPT_SUBDOMAINS)
    if "*" in domain:
        return problem(number, Reason.UNSUPPORTED_PATTERN, text)
    claim = BLOCK_SUBTREE if effect is Effect.BLOCK else EXCEPT_SUBTREE_SPECIFIC
    return Entry(number, domain.removeprefix("."), claim)
