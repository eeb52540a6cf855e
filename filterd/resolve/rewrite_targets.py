# SPDX-License-Identifier: Apache-2.0
"""Verify rewrite targets: safe mode hosts, as the school's upstreams know them.

The addresses of a safe mode are its publisher's, so no list of them ships. A target that no
longer exists would leave its search engine without an answer. Which were last found, and
when, is kept in a file: without a network that is all that is known.

An upstream that gives an address for a name that cannot exist answers everything, like the
gateway of a hotel: then nothing is verified.
"""

from __future__ import annotations

import asyncio
import contextlib
from typing import TYPE_CHECKING, Any, NamedTuple

from filterd.base.errors import StoreError, UpstreamError
from filterd.base.state_file import FileFormat
from filterd.base.value_class import frozen
from filterd.texts import i18n
from filterd.texts.i18n import UNSAID, Sentence, say
from filterd.upstream import Forwarder, Route, UpstreamQuestion, resolv_conf
from filterd.wire import Question, Rcode, RRType, read_back
from filterd.wire import name as names

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from pathlib import Path

    from filterd.base.clock import Clock
    from filterd.lists.rules import SafeSearchRewrite
    from filterd.policy.model import Policy

_IMPOSSIBLE = names.from_text("verify.filterd.invalid")
"""Such a name never exists (RFC 6761)."""
_MOST_OCTETS = 1 << 16

GONE = say("it does not exist")
WITHOUT_ADDRESS = say("it has no address")
NO_ANSWER = say("no upstream answers")
ANSWERS_ALL = say("the upstream gives addresses for names that do not exist")


@frozen
class VerifiedTargets:
    """When each target, as text, was last found; Unix times."""

    targets: dict[str, float]


FILE = FileFormat(VerifiedTargets, magic=b"filterd safe search ", most_octets=_MOST_OCTETS)


class TargetAge(NamedTuple):
    """When the target that was not found for longest was last found; None for never."""

    verified_at: float | None


def age_of(policy: Policy, file: Path) -> TargetAge | None:
    """Return how old the verification of safe modes is; None where no grade has one.

    Args:
        policy: with the rewrites and the grades that have them.
        file: of ``VerifiedTargets``.
    """
    wanted = {
        setting: {getattr(grade, setting) for grade in policy.grades.values()} - {"off"}
        for setting in ("safe_search", "youtube")
    }
    targets = {
        rewrite.target for rewrite in policy.rewrites if rewrite.level in wanted[rewrite.setting]
    }
    if not targets:
        return None
    known = (FILE.read(file) or VerifiedTargets({})).targets
    times = [known.get(_text(target)) for target in targets]
    return TargetAge(None if None in times else min(filter(None, times), default=None))


class TargetState(NamedTuple):
    """A target, the levels that it enforces, and what is known of it.

    ``verified_at`` is when it was last found; ``problem`` why it was not found now.
    """

    target: str
    levels: tuple[str, ...]
    names: int
    verified_at: float | None
    problem: Sentence = UNSAID

    def to_plain(self) -> dict[str, Any]:
        """Return it as plain data."""
        return {
            "target": self.target,
            "levels": list(self.levels),
            "names": self.names,
            "verified": not self.problem,
            "verified_at": self.verified_at,
            "problem": str(self.problem),
            "sentence": i18n.to_plain(self.problem),
        }


def verified(policy: Policy, file: Path, clock: Clock) -> list[TargetState]:
    """Ask the policy's upstreams for all hosts, and keep when each was found last.

    Args:
        policy: with the rewrites and upstreams.
        file: of ``VerifiedTargets``.
        clock: the clock.
    """
    before = (FILE.read(file) or VerifiedTargets({})).targets
    states = asyncio.run(_verified(policy, before, clock))
    known = {state.target: state.verified_at for state in states if state.verified_at is not None}
    if known != before:
        with contextlib.suppress(StoreError):  # it is verified all the same
            FILE.save(file, VerifiedTargets(known))
    return states


async def _verified(policy: Policy, before: Mapping[str, float], clock: Clock) -> list[TargetState]:
    route = Route(resolv_conf.servers(policy.upstreams, policy.listen))
    forwarder = Forwarder(clock)
    try:
        return await verify(policy.rewrites, forwarder, route, clock.wall(), before)
    finally:
        forwarder.close()


async def verify(
    rewrites: Iterable[SafeSearchRewrite],
    forwarder: Forwarder,
    route: Route,
    now: float,
    before: Mapping[str, float],
) -> list[TargetState]:
    """Ask the upstreams for all targets.

    Args:
        rewrites: of the policy.
        forwarder: asks.
        route: the upstreams.
        now: Unix time.
        before: when each target was last found.
    """
    of_target: dict[bytes, list[SafeSearchRewrite]] = {}
    for rewrite in rewrites:
        of_target.setdefault(rewrite.target, []).append(rewrite)
    asked = [_problem(forwarder, route, one) for one in (_IMPOSSIBLE, *of_target)]
    impossible, *problems = await asyncio.gather(*asked)
    found = []
    for (target, same), problem in zip(of_target.items(), problems, strict=True):
        text, why = _text(target), problem
        if not why and not impossible:
            why = ANSWERS_ALL
        verified_at = before.get(text) if why else now
        levels = tuple(sorted({f"{one.setting}: {one.level}" for one in same}))
        count = len({name for one in same for name in one.names})
        found.append(TargetState(text, levels, count, verified_at, why))
    return found


def _text(target: bytes) -> str:
    return names.to_text(target).removesuffix(".")


async def _problem(forwarder: Forwarder, route: Route, qname: bytes) -> Sentence:
    """Return why a name has no address, ``UNSAID`` where it has one."""
    problem = NO_ANSWER
    for qtype in (RRType.A, RRType.AAAA):
        asked = UpstreamQuestion(qname, qtype, do=False, cd=False, route=route)
        try:
            resolution = await forwarder.resolve(asked)
        except UpstreamError:
            continue
        if resolution.rcode == Rcode.NXDOMAIN:
            return GONE
        if resolution.rcode != Rcode.NOERROR:
            continue
        response = read_back(resolution.sections, Question.of(qname, qtype))
        if any(record.rtype == qtype for record in response.records):
            return UNSAID
        problem = WITHOUT_ADDRESS
    return problem
