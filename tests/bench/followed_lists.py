# SPDX-License-Identifier: Apache-2.0
# ruff: noqa: T201 -- a script that prints tables
"""Measure what a school closes that follows the recommended lists, as far as they are at hand.

Run ``python -m tests.bench.followed_lists`` where ``../shared/data`` is. A version is made as a
night makes one: what ships, the texts at hand, what protections and popular names set aside. Six
tables:

1. **Sources.** What each source added, what only it has, what it closed that is popular.
2. **Names by grade.** Well-known names and the grades that a school expects to have them
   (``tests/fixtures/names_by_grade.tsv``): too open and too closed, with what ships and with lists.
3. **Popular names.** How many of a ranking each source newly closes.
4. **Education and help.** Names of schools, and of help, that any list at hand would close,
   recommended or not.
5. **Scams.** How many ordinary names (popular, of libraries, of newspapers) each list of scams and
   malware at hand closes, of 10,000.
6. **Age.** How old the entries of lists with a known history are; how many are new in a month.
"""

from __future__ import annotations

import tempfile
import time
from collections import defaultdict
from datetime import date
from itertools import chain
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import yaml

from filterd.base.paths import shipped
from filterd.config.compile import compile_policy
from filterd.config.lists_build import compile_blocklists
from filterd.config.site_reader import load_site
from filterd.feed.followed.version_content import ContentRequest
from filterd.lists.catalogs.catalog import load_catalog, shipped_sources
from filterd.lists.index import Index
from filterd.policy.engine import Engine
from filterd.policy.model import Client
from filterd.wire import RRType
from filterd.wire import name as names
from tests.bench.list_coverage import history
from tests.bench.lookalike_figures import text_of

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from filterd.lists.catalogs.catalog import PublicSource

AT_HAND = {
    "blocklistproject-crypto": "blocklistproject/crypto.txt",
    "blocklistproject-drugs": "blocklistproject/drugs.txt.zst",
    "blocklistproject-piracy": "blocklistproject/piracy.txt",
    "blocklistproject-phishing": "blocklistproject/alt-version/phishing-nl.txt.zst",
    "blocklistproject-ransomware": "blocklistproject/ransomware.txt",
    "blocklistproject-scam": "blocklistproject/scam.txt.zst",
    "blocklistproject-torrent": "blocklistproject/torrent.txt",
    "blocklistproject-vaping": "blocklistproject/vaping.txt",
    "abpvn": "abpvn/abpvn.txt",
    "hostsvn-adult": "hostsVN/extensions/adult/domain.txt.zst",
    "hostsvn-gambling": "hostsVN/extensions/gambling/domain.txt.zst",
    "hostsvn-threat": "hostsVN/extensions/threat/domain.txt",
    "lightswitch05-dating": "lightswitch05/dating-services-extended.txt.zst",
    "lightswitch05-hate": "lightswitch05/hate-and-junk-extended.txt",
    "nextdns-encrypted-dns": "nextdns/dns-bypass-methods/encrypted-dns",
    "nextdns-no-safesearch": "nextdns/no-safesearch/domains",
    "nextdns-proxies": "nextdns/dns-bypass-methods/proxies",
    "nextdns-vpn": "nextdns/dns-bypass-methods/vpn",
    "sinfonietta-gambling": "sinfonietta/gambling-hosts",
    "sinfonietta-pornography": "sinfonietta/pornography-hosts.zst",
    "sinfonietta-snuff": "sinfonietta/snuff-hosts",
    "sinfonietta-social": "sinfonietta/social-hosts.zst",
    "ut1-agressif": "ut1/agressif/domains",
    "ut1-audio-video": "ut1/audio-video/domains",
    "ut1-blog": "ut1/blog/domains",
    "ut1-chat": "ut1/chat/domains",
    "ut1-cryptojacking": "ut1/cryptojacking/domains.zst",
    "ut1-dangerous-material": "ut1/dangerous_material/domains",
    "ut1-dating": "ut1/dating/domains.zst",
    "ut1-ddos": "ut1/ddos/domains",
    "ut1-doh": "ut1/doh/domains",
    "ut1-drogue": "ut1/drogue/domains",
    "ut1-filehosting": "ut1/filehosting/domains",
    "ut1-forums": "ut1/forums/domains",
    "ut1-gambling": "ut1/gambling/domains.zst",
    "ut1-games": "ut1/games/domains.zst",
    "ut1-residential-proxies": "ut1/residential-proxies/domains",
    "ut1-shortener": "ut1/shortener/domains",
    "ut1-social-networks": "ut1/social_networks/domains",
    "ut1-stalkerware": "ut1/stalkerware/domains",
    "ut1-tricheur": "ut1/tricheur/domains",
    "ut1-vpn": "ut1/vpn/domains.zst",
    "ut1-warez": "ut1/warez/domains",
}
"""Texts in the data, below ``lists/``, by the ids of the catalogue."""
GRADES = ("1", "6", "9", "11", "staff")
NOBODY = "nobody"
TABLE = Path(__file__).resolve().parents[1] / "fixtures" / "names_by_grade.tsv"
EDUCATION = ("domains/vn-education.dev.tsv", "domains/world-education.dev.tsv.zst")
_MOST_SHOWN = 12


class MadeVersion(NamedTuple):
    """A version, compiled; ``seconds`` is the CPU time of making and of compiling it."""

    engine: Engine
    folder: Path
    names: int
    seconds: tuple[float, float]


def at_hand(*, recommended: bool) -> tuple[PublicSource, ...]:
    """Return the sources of the catalogue with a text in the data."""
    return tuple(
        source
        for source in shipped_sources()
        if source.id in AT_HAND and (source.recommended or not recommended)
    )


def made(sources: Iterable[PublicSource], folder: Path) -> MadeVersion:
    """Make a version of what ships and of texts in the data, and compile it."""
    sources, texts = tuple(sources), dict[str, Path]()
    (folder / "texts").mkdir(parents=True)
    for source in sources:
        texts[source.id] = folder / "texts" / f"{source.id}.txt"
        texts[source.id].write_text(text_of(f"lists/{AT_HAND[source.id]}"), encoding="utf-8")
    began = time.process_time()
    ContentRequest(sources, texts, {}).write(folder / "version")
    merged = time.process_time()
    catalog = load_catalog(folder / "version")
    report = compile_blocklists(catalog, (), folder / "index", now=0.0, feed=None)
    compiled = time.process_time()
    policy = compile_policy(load_site(shipped("policies")), catalog)
    engine = Engine(policy, Index.open(folder / "index"))
    return MadeVersion(
        engine, folder / "version", report.names, (merged - began, compiled - merged)
    )


def closing(engine: Engine, name: str, grade: str) -> str:
    """Return the list or rule that closes a name to a grade; empty where it is open."""
    client = Client(engine.policy.grades[grade])
    verdict = engine.decide(client, names.from_text(name), RRType.A, 0.0)
    if not verdict.blocked or verdict.match is None:
        return ""
    return verdict.match.list_id or verdict.match.rule.name.lower()


def wrong_by_grade(engine: Engine) -> tuple[list[str], list[str]]:
    """Return the verdicts that are too open and too closed, each with its kind and grade."""
    too_open, too_closed = list[str](), list[str]()
    for line in TABLE.read_text(encoding="utf-8").splitlines():
        if line.startswith("#"):
            continue
        name, kind, opens, _ = line.split("\t")
        first = (*GRADES, NOBODY).index(opens)
        for place, grade in enumerate(GRADES):
            by = closing(engine, name, grade)
            if place >= first and by:
                too_closed.append(f"{name} ({kind}) to {grade} by {by}")
            if place < first and not by:
                too_open.append(f"{name} ({kind}) to {grade}")
    return too_open, too_closed


def education() -> list[str]:
    """Return the names of schools and universities of the data."""
    return [row.split("\t")[0] for path in EDUCATION for row in text_of(path).splitlines()[1:]]


def help_names() -> list[str]:
    """Return help lines, and names of health and sex education, that ship."""
    groups = yaml.safe_load((shipped("blocklists") / "help.yaml").read_text(encoding="utf-8"))
    return [name for one in groups["help"] for name in one["names"]]


def ranked() -> list[str]:
    """Return the popular names of the data, the most popular first."""
    rows = text_of("domains/tranco-like-50k.dev.csv.zst").splitlines()
    of_vn = [row.split("\t")[0] for row in text_of("domains/vn-popular.dev.tsv").splitlines()]
    return list(dict.fromkeys((*of_vn, *(row.split(",")[-1].strip() for row in rows))))


def newly_closed(before: Engine, after: Engine, asked: Sequence[str]) -> dict[str, list[str]]:
    """Return the names that any of ``GRADES`` newly lacks, by what closes them."""
    found = defaultdict[str, list[str]](list)
    for name in asked:
        for grade in GRADES:
            by = closing(after, name, grade)
            if by and not closing(before, name, grade):
                found[by].append(name)
                break
    return found


def _print_sources(version: MadeVersion) -> None:
    merged, compiled = version.seconds
    print(
        f"{version.names} names; CPU: {merged:.2f} s to merge, {compiled:.2f} s to compile\n"
        "\nsource                    category           names   only it  left out  popular, closed"
    )
    for one in version.engine.index.build["sources"]:
        popular = " ".join(one["popular"][:_MOST_SHOWN])
        print(
            f"{one['id']:26}{one['category']:16}{one['names']:8}{one['only']:10}"
            f"{one['left_out']:10}  {popular}"
        )


def _print_names_by_grade(versions: dict[str, MadeVersion]) -> None:
    print("\nwell-known names by grade    verdicts  too open  too closed")
    rows = [line for line in TABLE.read_text(encoding="utf-8").splitlines() if line[:1] != "#"]
    for title, version in versions.items():
        too_open, too_closed = wrong_by_grade(version.engine)
        print(f"{title:28}{len(rows) * len(GRADES):9}{len(too_open):10}{len(too_closed):12}")
        for one in (*too_open, *too_closed):
            print(f"    {one}")


def _print_popular(before: MadeVersion, after: MadeVersion, asked: Sequence[str]) -> None:
    print(f"\nof {len(asked)} popular names newly closed to a grade, by what closes them")
    found = newly_closed(before.engine, after.engine, asked)
    for by, closed in sorted(found.items(), key=lambda item: -len(item[1])):
        print(f"{by:24}{len(closed):6}  {' '.join(closed[:_MOST_SHOWN])}")


def _print_spared(title: str, version: MadeVersion, asked: Sequence[str]) -> None:
    by = {
        name: [one for grade in GRADES if (one := closing(version.engine, name, grade))]
        for name in asked
    }
    closed = {name: some[0] for name, some in by.items() if some}
    print(f"{title:44}{len(asked):7}{len(closed):8}  {closed or ''}")


def ordinary() -> list[str]:
    """Return names that no list of scams means: popular, of libraries and of newspapers."""
    benign = (
        text_of(f"domains/ut1-benign/{one}.domains").split()
        for one in ("liste_bu", "liste_blanche", "press")
    )
    return list(dict.fromkeys((*ranked(), *chain.from_iterable(benign), *education())))


def _print_scams(ships: MadeVersion, folder: Path) -> None:
    asked = ordinary()
    print(f"\nlists of scams and malware at hand: of {len(asked)} ordinary names, closed to staff")
    print("source                        names   closed  of 10,000")
    for one in at_hand(recommended=False):
        if one.category in ("scam", "malware"):
            version = made((one,), folder / one.id)
            closed = [
                name
                for name in asked
                if closing(version.engine, name, "staff").startswith(("feed-", "lookalike:"))
                and not closing(ships.engine, name, "staff")
            ]
            kind = "recommended" if one.recommended else ""
            print(
                f"{one.id:27}{version.names - ships.names:8}{len(closed):9}"
                f"{10_000 * len(closed) / len(asked):11.2f}  {kind:12} {' '.join(closed[:6])}"
            )


def _print_ages() -> None:
    print("\nage of entries, by history/      entries  median days  over a year  new in a month")
    for file in ("threat", "threat-VN", "gambling", "gambling-VN", "adult"):
        rows = history(file)
        last = max(date for _, _, date in rows)
        now = date.fromisoformat(last)
        ages = sorted(
            (now - date.fromisoformat(first)).days for _, first, end in rows if end == last
        )
        old, new = sum(age > 365 for age in ages), sum(age <= 31 for age in ages)
        title = f"hostsVN {file}, {last}"
        print(f"{title:31}{len(ages):9}{ages[len(ages) // 2]:13}{old / len(ages):13.0%}{new:16}")


def main() -> None:
    """Print the tables."""
    with tempfile.TemporaryDirectory() as folder:
        ships = made((), Path(folder) / "ships")
        lists = made(at_hand(recommended=True), Path(folder) / "recommended")
        every = made(at_hand(recommended=False), Path(folder) / "every")
        known = [source for source in shipped_sources() if source.recommended]
        here = [one for one in known if one.id in AT_HAND]
        names = sum(one.names for one in known)
        print(f"recommended: {len(known)} lists, {names} names; at hand: {len(here)} of them")
        _print_sources(lists)
        _print_names_by_grade(
            {"what ships": ships, "recommended, at hand": lists, "all at hand": every}
        )
        _print_popular(ships, lists, ranked())
        print("\nmust stay open                                 names  closed")
        for title, version in (("recommended", lists), ("all at hand", every)):
            _print_spared(f"schools and universities, {title}", version, education())
            _print_spared(f"help, health, sex education, {title}", version, help_names())
        _print_scams(ships, Path(folder) / "scams")
        _print_ages()


if __name__ == "__main__":
    main()
