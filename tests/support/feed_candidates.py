# SPDX-License-Identifier: Apache-2.0
"""A school that follows a feed, an active version, and versions for the guard."""

from __future__ import annotations

import shutil
import time
from contextlib import contextmanager
from hashlib import sha256
from typing import TYPE_CHECKING, Any

import pytest

from filterd.base import state_file
from filterd.base.paths import shipped
from filterd.config.build_record import look, write_policy
from filterd.config.compile import compile_policy
from filterd.config.lists_build import build_lists
from filterd.config.site_reader import load_site
from filterd.feed.guard.candidate import Asking
from filterd.feed.guard.checks import judged
from filterd.feed.guard.judgement import JudgedSchool, ServedFiles, request_of
from filterd.feed.versions import Candidate
from filterd.lists.catalogs.catalog import load_catalog
from filterd.lists.index_files import Blocklists
from tests.support.policies import NOW
from tests.support.site import SCHOOL
from tests.support.yaml_files import change_yaml, read_yaml, write_yaml

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator
    from pathlib import Path

    from filterd.feed.guard.judgement import Judgement
    from filterd.lists.index import Index
    from filterd.policy.model import Policy


_MOST = 8
"""Versions that are remembered; each holds its index."""
_known = dict[tuple[str, bytes, float], dict[str, Any]]()
_make = Asking.__init__


@contextmanager
def remembered() -> Iterator[None]:
    """Share what versions of equal policies and octets have answered.

    Most judgements compare with the same version; a child that judges asks each once.
    """
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Asking, "__init__", _share)
        yield


def _share(self: Asking, policy: Policy, index: Index, now: float) -> None:
    key = (state_file.digest(policy), sha256(index._mapped).digest(), now)
    known = _known.pop(key, None)
    if known is None:
        _make(self, policy, index, now)
        known = vars(self)
    vars(self).update(known)
    _known[key] = known  # the last is the latest
    while len(_known) > _MOST:
        del _known[next(iter(_known))]


GAMBLING, PORN = "lists/feed-gambling.txt", "lists/feed-porn.txt"
CONFIDENTIAL = "counselling"
BEFORE = 1
CENTRE = {"about": {"vi": "Danh sách", "en": "Lists"}, "name": "Sở", "phone": "0236 000"}


class Following:
    """A school whose version 1 of a feed is in force; ``prepare`` makes others out of it.

    Args:
        folder: an empty one.
        popular: popular names, the most popular first.
        site: the rest of ``site.yaml``.

    ``log`` is the folder of its day files, ``passed`` what was counted on them.
    """

    def __init__(self, folder: Path, popular: Iterable[str] = (), *, site: str = "") -> None:
        self._versions = folder / "versions"
        self.config = folder / "site"
        self.config.mkdir()
        (self.config / "site.yaml").write_text(SCHOOL + site, encoding="utf-8")
        fresh = folder / "index.new", folder / "problems.new", folder / "policy.new"
        self.log = folder / "log"
        self.passed = dict[str, int]()
        self.school = JudgedSchool(self.config, *fresh, self.log, self.passed)
        self._folder = folder
        self._write_honest(self._versions / str(BEFORE), popular)
        self.in_force: ServedFiles | None = None
        self.come_in_force(BEFORE)

    def prepare(self, change: Callable[[Path], None] | None = None, version: int = 2) -> Candidate:
        """Return a version that is like the one in force but for a change."""
        folder = self._versions / str(version)
        shutil.rmtree(folder, ignore_errors=True)
        shutil.copytree(self._versions / str(BEFORE), folder)
        if change is not None:
            change(folder)
        return Candidate(str(version), folder)

    def judge(self, change: Callable[[Path], None] | None = None, version: int = 2) -> Judgement:
        """Judge such a version in this process."""
        request = request_of(self.prepare(change, version), self.in_force, self.school, NOW)
        with remembered():
            return judged(request, cpu_s=time.process_time, peak_octets=lambda: 0)

    def judge_again(self, change: Callable[[Path], None] | None = None) -> Judgement:
        """Judge another version, after the first."""
        return self.judge(change, version=3)

    def folder_of(self, version: int) -> Path:
        """Return the folder of a version that was prepared, or of the one in force."""
        return self._versions / str(version)

    def come_in_force(self, version: int) -> None:
        """Have a version in force that was prepared."""
        self.in_force = self._compiled(Blocklists(self._versions / str(version), str(version)))

    def put_shipped_in_force(self) -> None:
        """Have the lists in force that ship, as before the first version of a feed."""
        self.in_force = self._compiled(Blocklists(shipped("blocklists")))

    def put_public_lists_in_force(self) -> None:
        """Have the first version in force as one that was made here of public lists."""
        self.in_force = self._compiled(Blocklists(self._versions / str(BEFORE), "web-1"))

    def _write_honest(self, folder: Path, popular: Iterable[str]) -> None:
        shutil.copytree(shipped("blocklists"), folder)
        for unpublished in ("README.md", "evidence.yaml"):
            (folder / "vn" / unpublished).unlink()
        shutil.rmtree(folder / "schools")
        (folder / "lists").mkdir()
        catalog = read_yaml(folder / "catalog.yaml")
        for path, stem in ((GAMBLING, "gambling"), (PORN, "porn")):
            list_id = f"feed-{stem}"
            entry = {"id": list_id, "title": stem, "category": stem, "format": "domains"}
            catalog["lists"].append({**entry, "file": path})
            write_names(folder / path, names_of(stem, 1_000))
        write_yaml(folder / "catalog.yaml", catalog)
        write_yaml(folder / "contacts.yaml", {"contacts": [CENTRE]})
        change_yaml(folder / "categories.yaml", _with_another_confidential)
        write_canaries(folder)
        write_names(folder / "popular.txt", popular)

    def _compiled(self, blocklists: Blocklists) -> ServedFiles:
        index, policy = self._folder / "index", self._folder / "policy"
        build_lists(self.config, blocklists, index, now=NOW)
        looked, catalog = look(self.config, blocklists.folder), load_catalog(blocklists.folder)
        compiled = compile_policy(load_site(self.config), catalog)
        write_policy(policy, compiled, looked, catalog.compiled)
        return ServedFiles(index, policy)


def _with_another_confidential(data: Any) -> None:
    """Add to the two that every program keeps so, whatever a version says."""
    [games] = [one for one in data["categories"] if one["id"] == "games"]
    data["categories"].append({**games, "id": CONFIDENTIAL, "confidential": True})


def names_of(stem: str, count: int) -> list[str]:
    """Return names of a list, each of a registrable name of its own."""
    return [f"www.{stem}{number}.example" for number in range(count)]


def write_names(path: Path, names: Iterable[str]) -> None:
    """Write a list as a publisher does."""
    path.write_text("".join(f"{name}\n" for name in names), encoding="ascii")


def write_canaries(folder: Path) -> None:
    """Write names of the first own list of each category of a version as its canaries."""
    canaries = dict[str, list[str]]()
    for one in load_catalog(folder).lists:
        lines = (line.split("#")[0].strip() for line in _lines(one.path))
        names = [line for line in lines if line and not line.startswith("=")]
        if one.own and names:
            canaries.setdefault(one.category, names[:5])
    entries = [{"category": category, "names": names} for category, names in canaries.items()]
    write_yaml(folder / "canaries.yaml", {"canaries": entries})


def _lines(path: str) -> list[str]:
    with open(path, encoding="utf-8") as file:  # noqa: PTH123 -- a path as lists have it
        return file.read().split("\n")
