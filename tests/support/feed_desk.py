# SPDX-License-Identifier: Apache-2.0
"""A feed's publisher: catalogue, sources, keys, publication, and commands."""

from __future__ import annotations

import shutil
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from filterd.feed.signed.arrival import Moment
from filterd.feed.signed.fetchers import FolderFetcher
from filterd.publish.publication import verify
from tests.support.clock import FakeClock
from tests.support.commands import Outcome, call
from tests.support.feed_folders import write_blocklists
from tests.support.publisher import NOW
from tests.support.yaml_files import read_yaml, write_yaml

if TYPE_CHECKING:
    from pathlib import Path

PASSPHRASE = "correct horse"
SCAM, GAMBLING = "scam-list", "gambling-list"
CATEGORIES = {SCAM: "scam", GAMBLING: "gambling"}


_FEW = {
    "services.yaml": """\
services:
  - {id: chat, name: {vi: Chat, en: Chat}, group: social-media, names: [chat.example]}
""",
    "protect.yaml": "protections:\n  - {name: bank.example, reason: bank}\n",
    "pins.yaml": "pins:\n  - {name: school.example, reason: help}\n",
}


@dataclass(frozen=True)
class Desk:
    """A publisher's folder.

    Attributes:
        folder: everything is beneath it.
        now: the time by which a school looks.
    """

    folder: Path
    now: float = NOW

    @property
    def catalog(self) -> Path:
        """The publisher's ``blocklists/``: all tables that ship, an own list, two sources."""
        return self.folder / "catalog"

    @property
    def given(self) -> Path:
        """Where the texts of sources are."""
        return self.folder / "given"

    @property
    def version(self) -> Path:
        """What a build makes."""
        return self.folder / "version"

    @property
    def public(self) -> Path:
        """What the web server hands out."""
        return self.folder / "feed" / "public"

    @property
    def keys(self) -> Path:
        """The keys, all of them on this machine."""
        return self.folder / "feed" / "keys"

    @property
    def root(self) -> Path:
        """What schools are given."""
        return self.folder / "feed" / "root.json"

    @property
    def office(self) -> Path:
        """The files of the ordering authority."""
        return self.folder / "office"

    def call(self, *words: str | Path, lang: str = "en", **changes: str) -> Outcome:
        """Run a command of ``filterd feed``."""
        return call("feed", *words, "--lang", lang, **changes)

    def init(self, *words: str, **how: str) -> Outcome:
        """Make keys and an empty publication."""
        return self.call("init", self.folder / "feed", *words, **how)

    def build(self, *words: str | Path, **how: str) -> Outcome:
        """Build a version."""
        where = ("--catalog", self.catalog, "--out", self.version, "--from-folder", self.given)
        return self.call("build", *where, *words, **how)

    def publish(self, *words: str | Path, **how: str) -> Outcome:
        """Publish the version that was built."""
        return self.call("publish", self.public, "--version-folder", self.version, *words, **how)

    def sign(self, parcel: Path, *words: str | Path, **how: str) -> Outcome:
        """Sign what is ordered."""
        return self.call("sign", self.office, parcel, "--keys", self.keys, *words, **how)

    def review(self, *words: str | Path, **how: str) -> Outcome:
        """Look at what waits for a person."""
        return self.call("review", "--catalog", self.catalog, *words, **how)

    def give(self, source: str, *names: str) -> None:
        """Make a source return these names."""
        (self.given / f"{source}.txt").write_text("".join(f"{name}\n" for name in names))

    def order(self, number: str, *names: str, **values: Any) -> None:
        """Write an order into the register of the authority."""
        (self.office / "orders").mkdir(parents=True, exist_ok=True)
        register = self.office / "orders.yaml"
        orders = read_yaml(register)["orders"] if register.exists() else []
        path = f"orders/{len(orders) + 1}.txt"
        (self.office / path).write_text("".join(f"{name}\n" for name in names))
        usual = {"issuer": "Sở TTTT", "date": "2026-12-01", "expiry": "2027-11-30"}
        orders.append({"number": number, **usual, **values, "names": path})
        write_yaml(register, {"orders": orders})

    def seen(self, root: bytes | None = None) -> dict[str, bytes]:
        """Return the files that a new school has of what is published, as it verifies them."""
        made = self.folder / "seen"
        shutil.rmtree(made, ignore_errors=True)
        made.mkdir()
        fetcher = FolderFetcher(self.public, FakeClock(self.now))
        verify(root or self.root.read_bytes(), fetcher, Moment(self.now), into=made)
        return files_of(made)

    def copy(self, folder: Path) -> Desk:
        """Return another desk that is as this one is now."""
        shutil.copytree(self.folder, folder)
        return Desk(folder, self.now)


def set_up(folder: Path) -> Desk:
    """Return a desk that has built and published nothing and has no keys.

    Its tables have little in them, for they are read by every command.
    """
    desk = Desk(folder)
    write_blocklists(desk.catalog, "casino.example", "gambling.blocked.filterd.example")
    for table, few in _FEW.items():
        (desk.catalog / table).write_text(few, encoding="utf-8")
    catalog = desk.catalog / "catalog.yaml"
    data = read_yaml(catalog)
    data["sources"] = [
        {
            "id": source,
            "title": f"A list of {category}",
            "category": category,
            "format": "domains",
            "address": f"https://lists.example/{source}.txt",
            "homepage": "https://lists.example/",
            "licence": "MIT",
            "attribution": "nobody",
            "checked": True,
        }
        for source, category in CATEGORIES.items()
    ]
    write_yaml(catalog, data)
    desk.given.mkdir()
    desk.give(SCAM, *names_of("scam"))
    desk.give(GAMBLING, *names_of("bet"))
    return desk


def names_of(stem: str, first: int = 0, beyond: int = 40) -> list[str]:
    """Return names that are no family: their shapes differ."""
    return [f"{stem}-{_letters(number)}.example" for number in range(first, beyond)]


def files_of(folder: Path) -> dict[str, bytes]:
    """Return all files beneath a folder by their paths."""
    return {
        path.relative_to(folder).as_posix(): path.read_bytes()
        for path in sorted(folder.rglob("*"))
        if path.is_file()
    }


def widest(done: Outcome) -> int:
    """Return how many columns the longest printed line takes, that are no path to be copied."""
    return max((len(line.rstrip()) for line in done.out.splitlines() if "/" not in line), default=0)


def _letters(number: int) -> str:
    return "".join("bcdfghjkmnpqrtvwxyz"[int(one)] for one in str(number + 100))
