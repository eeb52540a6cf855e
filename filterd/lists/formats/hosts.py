# SPDX-License-Identifier: Apache-2.0
"""Hosts files: ``0.0.0.0 ads.example.com tracker.example.com # why``.

Each name stands for itself alone, as in hosts(5). Only the addresses that lead
nowhere block: a name that is given a real address is redirected, and reading
that as a block would be a guess. The names of the machine itself, which these
files carry along because they replace ``/etc/hosts``, are harmless and only
counted. A line of one bare name is taken for a name with its address left out.
"""

from __future__ import annotations

import re
from functools import lru_cache
from ipaddress import IPv6Address, ip_address
from typing import TYPE_CHECKING

from filterd.lists.formats.parsed import BLOCK_EXACT, MAX_LINE, Entry, Parsed, PlainLine, problem
from filterd.lists.report import Reason

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

_NO_HOST = "0.0.0.0"  # noqa: S104 -- in a line of a file, not of a socket
LOCAL_NAMES = frozenset(
    {
        _NO_HOST,
        "broadcasthost",
        "ip6-allhosts",
        "ip6-allnodes",
        "ip6-allrouters",
        "ip6-localhost",
        "ip6-localnet",
        "ip6-loopback",
        "ip6-mcastprefix",
        "local",
        "localhost",
        "localhost.local",
        "localhost.localdomain",
        "localhost4",
        "localhost4.localdomain4",
        "localhost6",
        "localhost6.localdomain6",
    }
)
"""Names that hosts files give to the machine itself."""

PLAIN = tuple(
    PlainLine(f"{address} ", "", BLOCK_EXACT, unless=LOCAL_NAMES)
    for address in (_NO_HOST, "127.0.0.1")
)

_common = re.compile(r"(?:0\.0\.0\.0|127\.0\.0\.1)[ \t]+([a-z0-9_.-]+)[ \t]*").fullmatch


def parse_hosts(lines: Iterable[str]) -> Iterator[Parsed]:
    """Yield the entries and problems of a hosts file."""
    for number, line in enumerate(lines, 1):
        if not line:
            continue
        if len(line) > MAX_LINE:
            yield problem(number, Reason.TOO_LONG, line)
        elif (match := _common(line)) and (name := match[1]) not in LOCAL_NAMES:
            yield Entry(number, name, BLOCK_EXACT)
        elif words := line.partition("#")[0].split():
            yield from parse_words(number, words)


def parse_words(number: int, words: list[str]) -> Iterator[Parsed]:
    """Yield the result of a hosts line, given its words without comment; at least one."""
    if len(words) == 1:
        yield _bare(number, words[0])
        return
    address, *names = words
    leads_nowhere = is_sinkhole(address)
    if leads_nowhere is None:
        yield problem(number, Reason.BAD_SYNTAX, " ".join(words))
        return
    for name in names:
        if name.lower() in LOCAL_NAMES or name == address:
            yield problem(number, Reason.LOCAL_NAME, name)
        elif leads_nowhere:
            yield Entry(number, name, BLOCK_EXACT)
        else:
            yield problem(number, Reason.NOT_A_SINKHOLE_ADDRESS, f"{address} {name}")


@lru_cache(maxsize=64)  # whole files use one or two addresses
def is_sinkhole(address: str) -> bool | None:
    """Return whether an address is unspecified or loopback; None if it is no address.

    Brackets around IPv6 and its zone (``fe80::1%lo0``) are tolerated, as is
    ``0``, which resolvers read as 0.0.0.0.
    """
    if address == "0":
        return True
    try:
        parsed = ip_address(address.removeprefix("[").removesuffix("]"))
    except ValueError:
        return None
    if isinstance(parsed, IPv6Address) and parsed.ipv4_mapped:
        parsed = parsed.ipv4_mapped
    return parsed.is_unspecified or parsed.is_loopback


def _bare(number: int, word: str) -> Parsed:
    if word.lower() in LOCAL_NAMES:
        return problem(number, Reason.LOCAL_NAME, word)
    if is_sinkhole(word) is not None:
        return problem(number, Reason.BAD_SYNTAX, word)
    return Entry(number, word, BLOCK_EXACT)
