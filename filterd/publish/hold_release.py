# SPDX-License-Identifier: Apache-2.0
"""Release a version that schools hold, for all of them, with the offline keys.

The guard of the schools judges the published version against each version that may be in
force there: the last versions, and the one that ships. No key releases what the guard
refuses. Findings about a single school (its lookups, its expectations) stay with it.
"""

from __future__ import annotations

from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING

from filterd.base.errors import FeedError, GuardError
from filterd.base.paths import shipped
from filterd.base.value_class import frozen
from filterd.config.build_record import SITE_FILE, write_policy
from filterd.config.compile import compile_policy
from filterd.config.lists_build import build_lists
from filterd.config.site_reader import load_site
from filterd.feed import guard
from filterd.feed.held_versions import ReleasedHold, content_digest, other_key
from filterd.feed.version_files import KEPT_DELTAS
from filterd.feed.versions import Candidate
from filterd.lists.catalogs.catalog import load_catalog
from filterd.lists.index_files import Blocklists
from filterd.publish.publication import Published
from filterd.publish.release import publishing, working
from filterd.publish.root_changes import RootChanges
from filterd.texts.i18n import say

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from securesystemslib.signer import CryptoSigner

    from filterd.base.clock import Clock
    from filterd.feed.signed.arrival import Progress

_A_SCHOOL = "school: {name: any}\n"


@frozen
class Held:
    """The findings of schools on a version.

    Attributes:
        version: that is published.
        content: the digest of its files.
        findings: why it is held, each once.
    """

    version: int
    content: str
    findings: tuple[guard.Finding, ...]


def what_is_held(repository: Path, clock: Clock, *, progress: Progress | None = None) -> Held:
    """Judge the published version as schools do.

    Args:
        repository: the folder that the web server hands out.
        clock: the source of time.
        progress: called with the number of judgements, and their total.

    Raises:
        GuardError: schools refuse it, for good.
        FeedError: the publication is wrong.
        StoreError: the disk refused.
    """
    published = Published(repository)
    with publishing(repository), working(repository) as work:
        version, *earlier = published.versions()[: KEPT_DELTAS + 1]
        folder, known = work / str(version), dict[str, Path]()
        published.unpack(version, folder, known)
        before = [published.unpack(one, work / str(one), known) for one in earlier if one > 1]
        found, bases = dict[str, guard.Finding](), [shipped("blocklists"), *before]
        for number, base in enumerate(bases):
            if progress is not None:
                progress(number, len(bases))
            for one in _judged(Candidate(str(version), folder), base, clock):
                found.setdefault(f"{one.kind} {one.subjects or one.sentence}", one)
        keys = published.orders_keys(version)
        for number in earlier:
            for one in other_key(keys, published.orders_keys(number)):
                found[one.kind] = one
    return Held(version, content_digest(published.publication(version)), tuple(found.values()))


def release_hold(
    repository: Path, held: Held, reason: str, signers: Sequence[CryptoSigner], *, now: float
) -> ReleasedHold:
    """Release a held version for all schools.

    Args:
        repository: the folder that the web server hands out.
        held: what ``what_is_held`` gave.
        reason: why, for people.
        signers: root keys.
        now: Unix time.

    Raises:
        FeedError: nothing is held, another version is published by now, or too few of the
            root's keys have signed.
        StoreError: the disk refused.
    """
    findings = dict[str, frozenset[str]]()
    for finding in held.findings:
        findings[finding.kind] = findings.get(finding.kind, frozenset()) | frozenset(
            finding.subjects
        )
    release = ReleasedHold(held.version, held.content, findings, reason)
    with publishing(repository):
        if Published(repository).version != held.version:
            raise FeedError(say("another version has been published meanwhile; check that one"))
        RootChanges(repository).release(release, signers, now=now)
    return release


def _judged(candidate: Candidate, base: Path, clock: Clock) -> Iterable[guard.Finding]:
    with TemporaryDirectory(prefix="filterd-judged-") as made:
        config = Path(made) / "site"
        config.mkdir()
        (config / SITE_FILE).write_text(_A_SCHOOL, encoding="utf-8")
        index, policy = Path(made) / "index", Path(made) / "policy"
        number = base.name if base.name.isdecimal() else None
        build_lists(config, Blocklists(base, number), index, now=clock.wall())
        catalog = load_catalog(base)
        write_policy(policy, compile_policy(load_site(config), catalog), None, catalog.compiled)
        fresh = Path(made)
        school = guard.JudgedSchool(
            config,
            fresh / "index.new",
            fresh / "problems.new",
            fresh / "policy.new",
            orders_known=number is not None,  # a new school knows no key of theirs
        )
        judgement = guard.judge(candidate, guard.ServedFiles(index, policy), school, clock=clock)
    if judgement.severity is guard.Severity.REFUSED:
        worst = next(
            finding for finding in judgement.findings if finding.severity is guard.Severity.REFUSED
        )
        raise GuardError(
            say(
                "schools refuse version {version}, and no key can release it: {why}; publish"
                " another version",
                version=candidate.version,
                why=worst.sentence,
            )
        )
    return [finding for finding in judgement.findings if finding.severity is guard.Severity.HELD]
