# SPDX-License-Identifier: Apache-2.0
"""Word how lookups are served: answers, cache, datagrams, TLS; of a status. Pure."""

from __future__ import annotations

from typing import TYPE_CHECKING

from filterd.texts import counted, i18n, words
from filterd.texts.counted import number
from filterd.texts.i18n import say, say_n, translated

if TYPE_CHECKING:
    from collections.abc import Mapping

    from filterd.texts.rows import Row, Wording


def answers_by_source(answers: Mapping[str, int], by: Wording) -> str:
    """Return how many answers came from where, the most first."""
    most_first = sorted(answers.items(), key=lambda item: (-item[1], item[0]))
    return ", ".join(f"{by.texts.word(words.ANSWERED, what)} {number(n)}" for what, n in most_first)


def cache_figures(cache: Mapping[str, int], by: Wording) -> str:
    """Return what the cache holds, and how often it has answered."""
    n = cache.__getitem__
    parts = (
        say_n("{n} entry", "{n} entries", n("entries"), n=number(n("entries"))),
        counted.size(n("octets")),
        say_n("{n} hit", "{n} hits", n("hits"), n=number(n("hits"))),
        say_n("{n} miss", "{n} misses", n("misses"), n=number(n("misses"))),
        say("{n} stale", n=number(n("stale"))),
        say("{n} refreshed ahead", n=number(n("refreshed"))),
        say_n(
            "{n} failure remembered",
            "{n} failures remembered",
            n("failures"),
            n=number(n("failures")),
        ),
    )
    return ", ".join(map(by.texts, parts))


def datagrams_lost(row: Row, by: Wording) -> str:
    """Return the datagrams that were not answered by UDP."""
    counts = row["datagrams"]
    return by.texts(
        "{truncated} sent to TCP, {dropped} dropped, {lost} lost to full queues",
        truncated=number(counts["truncated_rate"] + counts["truncated_overload"]),
        dropped=number(counts["dropped_rate"] + counts["dropped_overload"]),
        lost=number(row["receive_drops"]),
    )


def tls_problem(row: Row, by: Wording) -> str:
    """Return why devices cannot ask by TLS; empty where they can, or are not meant to."""
    found = row.get("tls")
    return translated(i18n.from_plain(found["problem"]), by.texts.language) if found else ""


def tls_counts(row: Row, by: Wording) -> str:
    """Return the connections of now, and the handshakes since the start."""
    found = row.get("tls")
    if not found:
        return ""
    connections, made = found["connections"], found["handshakes"]
    parts = (
        say_n("{n} connection", "{n} connections", connections, n=number(connections)),
        say_n("{n} handshake", "{n} handshakes", made, n=number(made)),
        say("{n} of them by a ticket", n=number(found["resumed"])),
        say("{n} failed", n=number(found["failed"])),
        say("{n} refused", n=number(found["refused_rate"] + found["refused_full"])),
    )
    return ", ".join(map(by.texts, parts))
