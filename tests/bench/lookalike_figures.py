# SPDX-License-Identifier: Apache-2.0
# ruff: noqa: T201 -- a script that prints a table
"""Measure look-alike rules: rightly and wrongly closed names outside the lists.

Run ``python -m tests.bench.lookalike_figures`` where ``../shared/data`` is. A hash of the
name divides listed names into two halves. Rules are made from one half and tested on the
other, which they have never seen. Popular names are divided likewise: the publisher knows
one half; a rule that matches a name of the other is a false positive that no check would
have found. Popular names on a list of any bad category of the folder are left out.

``automatic`` are rules that are accepted by themselves, ``all`` also those that wait for
approval, as if all were accepted.
"""

from __future__ import annotations

import hashlib
import json
import sys
from typing import TYPE_CHECKING, NamedTuple

from filterd.feed.families.lookalike_families import distinct
from filterd.feed.families.lookalike_rules import make_rules
from filterd.lists.lookalikes import LookalikeRule, Lookalikes
from filterd.wire import name as names
from tests.support.shared_data import ROOT

if sys.version_info >= (3, 14):
    from compression import zstd
else:
    from backports import zstd

if TYPE_CHECKING:
    from collections.abc import Iterable

    from filterd.feed.families.lookalike_rules import LookalikeOutcome

HOSTS_VN = "lists/hostsVN/extensions"
LISTED = {
    "gambling (Vietnam)": f"{HOSTS_VN}/gambling/domain-VN.txt",
    "gambling (all)": f"{HOSTS_VN}/gambling/domain.txt.zst",
    "scam (Vietnam)": f"{HOSTS_VN}/threat/domain-VN.txt",
    "porn (Vietnam)": f"{HOSTS_VN}/adult/domain-VN.txt",
    "porn (all)": f"{HOSTS_VN}/adult/domain.txt.zst",
}
_POPULAR = (
    "domains/opendns/opendns-top-domains.txt.zst",
    "domains/opendns/opendns-random-domains.txt.zst",
    *(f"domains/ut1-benign/{one}.domains" for one in ("liste_blanche", "liste_bu", "press")),
)
_RANKED = "domains/tranco-like-50k.dev.csv.zst"
_TABLES = ("domains/vn-popular.dev.tsv", "domains/vn-education.dev.tsv")
_BAD = ("gambl", "adult", "porn", "threat", "malware", "phish", "scam", "fake")


class Figures(NamedTuple):
    """What rules do to names that they were not made of, in counts."""

    rules: int
    closed: int
    of: int
    wrongly: tuple[str, ...]
    of_popular: int

    @property
    def recall(self) -> float:
        """Which part of the names held back is closed."""
        return self.closed / self.of


def popular_names() -> list[str]:
    """Return what was registered of all popular names, without what any list calls bad."""
    texts = [line.split(",")[-1] for line in text_of(_RANKED).splitlines()]
    for path in _TABLES:
        texts += (line.split("\t")[0] for line in text_of(path).splitlines())
    for path in _POPULAR:
        texts += text_of(path).split()
    sites = json.loads(text_of("domains/top-sites.json"))
    texts += (site["rootDomain"] for site in sites)
    bad = set(_all_bad())
    return [one.name for one in distinct(texts) if one.name not in bad]


def measure(path: str, popular: list[str]) -> tuple[Figures, Figures]:
    """Return the figures of what holds by itself, and of all that could."""
    listed = [one.name for one in distinct(names_of(path))]
    outcome = make_rules(
        {"listed": [text(one for one in listed if half_of(one) == 0)]},
        [one for one in popular if half_of(one) == 0],
    )
    unseen = [one for one in listed if half_of(one)]
    visited = [one for one in popular if half_of(one)]
    automatic = outcome.rules["listed"]
    return _held(automatic, unseen, visited), _held(
        (*automatic, *_waiting(outcome)), unseen, visited
    )


def _waiting(outcome: LookalikeOutcome) -> list[LookalikeRule]:
    beneath = frozenset(map(names.from_text, outcome.suffixes["listed"]))
    return [LookalikeRule(one.shape, one.digits, beneath) for one in outcome.queue]


def _held(rules: Iterable[LookalikeRule], unseen: list[str], visited: list[str]) -> Figures:
    known = Lookalikes(rules)
    closed = sum(bool(known.find(names.from_text(one))) for one in unseen)
    wrongly = tuple(one for one in visited if known.find(names.from_text(one)))
    return Figures(len(known.rules), closed, len(unseen), wrongly, len(visited))


def text_of(path: str) -> str:
    """Return a text of the shared data, unpacked."""
    octets = (ROOT / path).read_bytes()
    if path.endswith(".zst"):
        octets = zstd.decompress(octets)
    return octets.decode("utf-8", "replace")


def text(names: Iterable[str]) -> bytes:
    """Return names as the text of a list."""
    return "".join(f"{name}\n" for name in names).encode()


def half_of(name: str) -> int:
    """Return by a hash of the name to which half it belongs, 0 or 1."""
    # Salted: the names that this data has were themselves chosen by a hash of the name.
    return hashlib.sha256(b"lookalikes " + name.encode()).digest()[0] & 1


def names_of(path: str) -> Iterable[str]:
    """Yield the names of a list of the shared data, in hosts or plain form."""
    for line in text_of(path).splitlines():
        fields = line.partition("#")[0].split()
        if fields:
            yield fields[-1].removeprefix("*.")


def _all_bad() -> Iterable[str]:
    for path in sorted((ROOT / "lists").rglob("*")):
        relative = str(path.relative_to(ROOT))
        if path.is_file() and any(one in relative.lower() for one in _BAD):
            yield from (one.name for one in distinct(names_of(relative)))


def main() -> None:
    """Print the table."""
    popular = popular_names()
    print(f"{len(popular)} popular names")
    print("list                 rules  recall         wrongly    | with those that wait")
    for title, path in LISTED.items():
        automatic, everything = measure(path, popular)
        figures = " | ".join(
            f"{one.rules:5}  {one.closed}/{one.of} {one.recall:5.1%}  "
            f"{len(one.wrongly)}/{one.of_popular}"
            for one in (automatic, everything)
        )
        print(f"{title:20} {figures}  {', '.join(automatic.wrongly)}")


if __name__ == "__main__":
    main()
