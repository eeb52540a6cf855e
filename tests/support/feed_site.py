# SPDX-License-Identifier: Apache-2.0
"""A school that follows a feed on a disk, and its invariants after any fault.

Everything is production code: a publication in a folder, whole runs of a site, and
the loader of the daemon's start. Only the guard's child may be left out, because it
takes longer than all the rest (``judged_at_once``).
"""

from __future__ import annotations

import contextlib
import json
import shutil
import subprocess
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from filterd.base.errors import FilterdError, StoreError
from filterd.base.paths import shipped, write_atomically
from filterd.base.state_folder import SHIPPED, StateFolder
from filterd.config.compile import compile_policy
from filterd.config.lists_build import build_lists
from filterd.config.site_reader import load_site as load_files
from filterd.daemon.manager.site_loader import load_site
from filterd.feed import guard
from filterd.feed.guard.judgement import CHECKS, SCHOOL, Finding, Severity, found
from filterd.feed.signed.arrival import TufArrival
from filterd.feed.signed.fetchers import FolderFetcher
from filterd.feed.sync import Became, Outcome, SiteFeed
from filterd.feed.version_files import verify
from filterd.feed.version_watch import Daemon
from filterd.lists.catalogs.catalog import load_catalog
from filterd.lists.index import Index
from filterd.lists.index_files import Blocklists, blocklists_in_force, version_of
from filterd.policy import policy_file
from filterd.policy.model import Client
from filterd.publish.signing import targets_of
from filterd.texts.i18n import quoted, say
from filterd.wire import RRType
from filterd.wire import name as names
from tests.support.clock import FakeClock
from tests.support.feed_candidates import write_canaries
from tests.support.feed_folders import write_blocklists
from tests.support.publisher import NOW, Publisher
from tests.support.yaml_files import read_yaml, write_yaml

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    import pytest

    from filterd.base.clock import Clock
    from filterd.feed.guard import JudgedSchool, Judgement, ServedFiles
    from filterd.feed.versions import Candidate

FIRST, SECOND, THIRD = "2", "3", "4"
"""Versions that are published; 1 is the empty one that a publication begins with."""
MUST_BLOCK = "www.bet365.com"
"""On the lists that ship, and on those of every version."""
_WHY = say("category {category}: all its {had} names are gone", category="porn", had=9)
_ROLES = ("timestamp", "snapshot", "targets", "orders")


def name_of(version: str) -> str:
    """Return the name that one version alone lists."""
    return f"version{version}.example"


@dataclass
class Published:
    """One publication, as it was after each of its versions.

    Args:
        folder: an empty one.
        whole: publish all that ships, which the guard wants, and not a few small files.
        now: when all is signed, Unix time.
        count: how many versions.
    """

    folder: Path
    whole: bool = False
    now: float = NOW
    count: int = 3
    root: bytes = field(init=False)

    def __post_init__(self) -> None:
        publisher = Publisher(self.folder / "www", now=self.now)
        self.root = publisher.root
        earlier = list[Path]()
        for version in self.versions:
            content = self.folder / "content" / version
            self._write(content, version)
            targets = targets_of(content, earlier)
            made = publisher.repository.publish(targets, publisher.signers, now=self.now)
            assert str(made) == version
            earlier.insert(0, content)
            shutil.copytree(publisher.folder, self.at(version))
            blocklists = Blocklists(content, version)
            build_lists(None, blocklists, self.folder / f"{version}.index", now=NOW)

    @property
    def versions(self) -> list[str]:
        """The versions that are published."""
        return [str(int(FIRST) + number) for number in range(self.count)]

    def at(self, version: str) -> Path:
        """Return what the server handed out after a version."""
        return self.folder / "at" / version

    def index(self, version: str) -> bytes:
        """Return the compiled lists of a version."""
        return (self.folder / f"{version}.index").read_bytes()

    def _write(self, folder: Path, version: str) -> None:
        listed = (MUST_BLOCK.removeprefix("www."), name_of(version))
        if not self.whole:
            write_blocklists(folder, *listed)
            return
        unpublished = shutil.ignore_patterns("README.md", "evidence.yaml", "schools")
        shutil.copytree(shipped("blocklists"), folder, ignore=unpublished)
        (folder / "lists").mkdir()
        (folder / "lists" / "feed.txt").write_text("".join(f"{one}\n" for one in listed))
        catalog = read_yaml(folder / "catalog.yaml")
        entry = {"id": "feed", "title": "feed", "category": "gambling", "format": "domains"}
        catalog["lists"].append({**entry, "file": "lists/feed.txt"})
        write_yaml(folder / "catalog.yaml", catalog)
        write_canaries(folder)


@contextlib.contextmanager
def judged_at_once(published: Published) -> Iterator[None]:
    """Have every version accepted, its index ready; without the guard and its child."""

    def judge(
        candidate: Candidate, in_force: ServedFiles | None, school: JudgedSchool, *, clock: Clock
    ) -> Judgement:
        del in_force, clock
        try:
            write_atomically(school.fresh_index, published.index(candidate.version))
            digest = Index.open(school.fresh_index).digest.hex()
        except (StoreError, OSError) as error:
            wrong = Finding(SCHOOL, guard.Severity.REFUSED, quoted(str(error)))
            return guard.Judgement(candidate.version, (wrong,))
        return guard.Judgement(candidate.version, (), digest, CHECKS)

    true = guard.judge
    setattr(guard, "judge", judge)  # noqa: B010 -- mypy: a function is not assigned to
    try:
        yield
    finally:
        setattr(guard, "judge", true)  # noqa: B010 -- as above


class Follower:
    """A site that follows a publication, below one folder.

    Args:
        folder: with ``site/`` and ``state/`` in it, or an empty one.
        published: what it follows.
        clock: the source of time.
        daemon: the serving daemon.
    """

    def __init__(
        self,
        folder: Path,
        published: Published,
        clock: FakeClock | None = None,
        daemon: Daemon | None = None,
    ) -> None:
        self.folder, self.published = folder, published
        self.config, self.state = folder / "site", StateFolder(folder / "state")
        self.clock, self.daemon = clock or FakeClock(published.now), daemon or Daemon()

    def found(self) -> None:
        """Set the site up: its files, the root that it trusts, and what ships in force."""
        self.config.mkdir(parents=True)
        self.state.folder.mkdir()
        (self.config / "site.yaml").write_text(
            "school: {name: Mẫu}\nfeed: https://feed.example/\n"
            "listen: ['127.0.0.1:53']\nupstreams: [192.0.2.53]\n",
            encoding="utf-8",
        )
        build_lists(self.config, Blocklists(shipped("blocklists")), self.state.index, now=NOW)
        site, catalog = load_files(self.config), load_catalog(shipped("blocklists"))
        policy_file.save(self.state.policy, compile_policy(site, catalog))
        self.site.trust.establish(self.published.root)

    @property
    def site(self) -> SiteFeed:
        """The site, as a process that has just begun has it."""
        return SiteFeed(self.config, self.state, self.clock, self.daemon)

    def run(self, version: str, *, at_once: bool = True) -> Outcome:
        """Do a whole run when so much is published."""
        site = self.site
        arrival = TufArrival(site.trust, FolderFetcher(self.published.at(version), self.clock))
        with site.holding():
            return site.sync(arrival, at_once=at_once)

    def leave(self, version: str) -> None:
        """Roll a version back, if it is still in force: a killed rollback may have done so."""
        site = self.site
        with site.holding():
            if site.versions.in_force().current == version:
                site.roll_back(say("a test wants it"))

    def recover(self) -> None:
        """Do what every command does first."""
        with self.site.holding():
            pass

    def check_served(self, *versions: str) -> str:
        """Start as the daemon does: nothing passes that must not; one of these is whole.

        Returns:
            Which version; "0" for what ships.
        """
        site = load_site(self.config, self.state, now=self.clock.wall())
        client = Client(site.policy.grades["12"])

        def is_blocked(name: str) -> bool:
            wire = names.from_text(name)
            return site.engine.decide(client, wire, RRType.A, self.clock.wall()).blocked

        assert is_blocked(MUST_BLOCK), f"{MUST_BLOCK} is not blocked"
        version = str(site.index.build.get("feed", SHIPPED))
        assert version in versions, f"version {version} is served, and not one of {versions}"
        listed = [one for one in self.published.versions if is_blocked(name_of(one))]
        assert listed == ([version] if version != SHIPPED else []), (
            "the lists of a version are not all there"
        )
        return version

    def check_consistent(self, *versions: str) -> str:
        """See that pointer, index and catalogue are of one of these versions, each whole."""
        version = self.check_served(*versions)
        pointed = self.site.versions.in_force().current or SHIPPED
        catalogue = blocklists_in_force(self.state).version or SHIPPED
        placed = (version, version_of(self.state.index), pointed, catalogue)
        assert len(set(placed)) == 1, f"served, index, pointer, catalogue: {placed}"
        if version != SHIPPED:
            assert verify(self.state.feed_version(version)) == ()
        assert not (self.state.feed / "activation.json").exists()
        return version

    def check_taken(self, version: str) -> None:
        """See that the next honest run leads to what is published, and a further one to nothing."""
        self.run(version)
        assert self.check_consistent(version) == version
        assert self.run(version).became is Became.CURRENT

    def metadata_versions(self) -> dict[str, int]:
        """Return which version of each role's metadata is kept, 0 for none; roots by their last."""
        kept = {"root": len(list(self.site.trust.metadata.glob("root_history/[!.]*.json")))}
        for role in _ROLES:
            kept[role] = 0
            with contextlib.suppress(OSError, ValueError, KeyError):
                data: Any = json.loads((self.site.trust.metadata / f"{role}.json").read_bytes())
                kept[role] = data["signed"]["version"]
        return kept

    def copy_to(self, folder: Path) -> None:
        """Copy all that there is, in the place of what is there."""
        _copy(self.folder, folder)

    def restore_from(self, folder: Path) -> None:
        """Be again as when ``copy_to`` was called."""
        _copy(folder, self.folder)


def _copy(source: Path, target: Path) -> None:
    """Copy a folder; what is one file under two names stays one."""
    shutil.rmtree(target, ignore_errors=True)
    subprocess.run(["cp", "-a", source, target], check=True)


def refused_or(work: Callable[[], object]) -> str:
    """Do some work; return why it was refused, empty where it was not. Nothing else may escape."""
    try:
        work()
    except FilterdError as refused:
        why = str(refused)
    else:
        return ""
    assert why
    assert "\n" not in why
    return why


def judge_as(
    monkeypatch: pytest.MonkeyPatch, school: Follower, severity: Severity, kind: str = "growth"
) -> list[str]:
    """Have one thing found of every version; return those that were judged."""
    judged = list[str]()

    def judge(candidate: Candidate, _: Any, site: JudgedSchool, **__: Any) -> Judgement:
        judged.append(candidate.version)
        write_atomically(site.fresh_index, school.published.index(candidate.version))
        digest = Index.open(site.fresh_index).digest.hex()
        finding = found(kind, severity, _WHY, ["xnxx.com"])
        return guard.Judgement(candidate.version, (finding,), digest, CHECKS, seconds=1.0)

    monkeypatch.setattr(guard, "judge", judge)
    return judged
