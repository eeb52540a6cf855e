# SPDX-License-Identifier: Apache-2.0
"""This side of the guard's child: it is started, bounded, and not believed.

The child loads what a network has brought, so it may need too much memory, never
end, or print anything at all. Each of these is a refusal, and so is a judgement
that leaves a check out. The two ends speak JSON: one request on the child's input,
one judgement on its output (``filterd.feed.guard.__main__`` is the other end).
This side needs the standard library only.
"""

from __future__ import annotations

import json
import os
import selectors
import subprocess
import sys
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from filterd.clock import SystemClock
from filterd.feed.guard.guard_report import MAX_OCTETS, SCHOOL, Judgement, Severity, found, load
from filterd.i18n import Sentence, quoted, refused, say
from filterd.privileges import of_a_child

if TYPE_CHECKING:
    from collections.abc import Mapping

    from filterd.clock import Clock
    from filterd.feed.versions import Candidate

TIME_LIMIT_S = 300
"""Of the child, by the clock; twenty times what a million names take, for small boards."""
CHECKS = (
    "files",
    "loading",
    "golden",
    "essentials",
    "beneath",
    "suffixes",
    "rewrites",
    "popular",
    "asked",
    "growth",
    "tables",
    "canaries",
    "expectations",
)
"""The words of all checks; a judgement without one of them is none."""
MAX_ASKED = 20_000
"""Names of the school's own last days that are looked at, the most frequent ones."""

_MAX_ERRORS_OCTETS = 1 << 14
_LAST_CHARACTERS = 200


@dataclass(frozen=True, slots=True)
class InForce:
    """What is in force while a candidate is judged.

    Attributes:
        index: the compiled lists; they say themselves which version of the feed they are of.
        policy: the policy that they are served with.
    """

    index: Path
    policy: Path


@dataclass(frozen=True, slots=True)
class School:
    """The school that a candidate is judged for.

    Attributes:
        config: the folder of ``site.yaml``.
        fresh_index: where the candidate's index is to be made; it may be put in force
            from there once the candidate is accepted.
        fresh_problems: where a line is written for everything not taken into it.
        fresh_policy: where the policy is written by which the candidate is judged.
        asked: how often names were answered in the last seven days; None where the log
            has totals only.
    """

    config: Path
    fresh_index: Path
    fresh_problems: Path
    fresh_policy: Path
    asked: Mapping[str, int] | None = field(default=None)


class _Done(NamedTuple):
    """How a child has ended: ``status`` None where it was ended for its time or its output."""

    status: int | None
    output: bytes
    errors: bytes
    why: Sentence | None = None


def judge(
    candidate: Candidate,
    in_force: InForce | None,
    school: School,
    *,
    clock: Clock | None = None,
    time_limit_s: float = TIME_LIMIT_S,
) -> Judgement:
    """Judge a version in a child process and wait for it.

    Nothing is raised for whatever the version or the child does. The caller holds
    the lock of those who build lists.

    Args:
        candidate: whole and verified.
        in_force: what the school is served by now; None before the first lists.
        school: for whom.
        clock: for the time limit, and the time that schedules go by.
        time_limit_s: for the child.

    Returns:
        What was found; ``Judgement.may_come_in_force`` says what follows.
    """
    clock = clock or SystemClock()
    request = json.dumps(request_of(candidate, in_force, school, clock.wall())).encode("ascii")
    try:
        done = _run(_command(), request, clock, time_limit_s)
    except OSError as error:
        sentence = say("it could not be judged: {why}", why=refused(error))
        return Judgement(candidate.version, (found(SCHOOL, Severity.REFUSED, sentence),))
    return _read(candidate.version, done)


def request_of(
    candidate: Candidate, in_force: InForce | None, school: School, now: float
) -> dict[str, Any]:
    """Return what the child is asked, as plain data; ``now`` is Unix time."""
    most = sorted((school.asked or {}).items(), key=lambda one: (-one[1], one[0]))[:MAX_ASKED]
    return {
        "now": now,
        "version": candidate.version,
        "folder": str(candidate.folder),
        "in_force": None
        if in_force is None
        else {"index": str(in_force.index), "policy": str(in_force.policy)},
        "config": str(school.config),
        "fresh_index": str(school.fresh_index),
        "fresh_problems": str(school.fresh_problems),
        "fresh_policy": str(school.fresh_policy),
        "asked": None if school.asked is None else dict(most),
    }


def _command() -> list[str]:
    # -P: a file in the working directory must not stand in for a module.
    return [sys.executable, "-P", "-s", "-m", "filterd.feed.guard"]


def _environment() -> dict[str, str]:
    """Return as little as the child needs; a checkout is found as an installed package is."""
    package = Path(__file__).resolve().parents[3]
    kept = {key: os.environ[key] for key in ("PATH", "PYTHONTZPATH") if key in os.environ}
    return {**kept, "PYTHONPATH": str(package), "PYTHONUTF8": "1", "PYTHONDONTWRITEBYTECODE": "1"}


def _run(command: list[str], request: bytes, clock: Clock, time_limit_s: float) -> _Done:
    """Run a child to its end, or end it."""
    with subprocess.Popen(  # noqa: S603 -- our own interpreter and module, no shell
        command,
        env=_environment(),
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        **of_a_child(),
    ) as child:
        try:
            return _attend(child, request, clock, time_limit_s)
        finally:
            child.kill()


def _attend(
    child: subprocess.Popen[bytes], request: bytes, clock: Clock, time_limit_s: float
) -> _Done:
    """Write the request and read what comes, until both ends of the child's output are closed."""
    assert child.stdin is not None
    assert child.stdout is not None
    assert child.stderr is not None
    deadline = clock.monotonic() + time_limit_s
    output, errors = bytearray(), bytearray()
    kept = {child.stdout.fileno(): output, child.stderr.fileno(): errors}
    with selectors.DefaultSelector() as selector:
        for descriptor in kept:
            selector.register(descriptor, selectors.EVENT_READ)
        os.set_blocking(child.stdin.fileno(), False)
        selector.register(child.stdin.fileno(), selectors.EVENT_WRITE)
        while selector.get_map():
            ready = selector.select(max(deadline - clock.monotonic(), 0.0))
            if not ready:
                return _Done(None, b"", b"", _too_long(time_limit_s))
            for key, _ in ready:
                if key.fd in kept:
                    octets = os.read(key.fd, 1 << 16)
                    kept[key.fd] += octets
                    still = bool(octets)
                else:
                    request, still = _write(key.fd, request)
                if not still:
                    selector.unregister(key.fd)
                    if key.fd not in kept:
                        child.stdin.close()
            del errors[:-_MAX_ERRORS_OCTETS]
            if len(output) > MAX_OCTETS:
                return _Done(None, b"", b"", say("it said more than a judgement"))
    try:
        status = child.wait(max(deadline - clock.monotonic(), 0.0))
    except subprocess.TimeoutExpired:
        return _Done(None, b"", b"", _too_long(time_limit_s))
    return _Done(status, bytes(output), bytes(errors))


def _write(descriptor: int, request: bytes) -> tuple[bytes, bool]:
    """Write a part of the request; return what is left and whether to go on."""
    try:
        left = request[os.write(descriptor, request) :]
    except OSError:  # the child has ended; how tells more
        return b"", False
    return left, bool(left)


def _read(version: int, done: _Done) -> Judgement:
    """Return the judgement of a child that has ended; a refusal where there is none."""
    if done.why is not None:
        return _not_loaded(version, done.why)
    if done.status != 0:
        return _not_loaded(version, _last_words(done))
    try:
        judgement = load(done.output)
    except ValueError:
        return _not_loaded(version, say("what was said of it is no judgement"))
    missing = set(CHECKS).difference(judgement.checks)
    if judgement.version != version or (
        judgement.severity is not Severity.REFUSED and (missing or not judgement.index)
    ):
        return _not_loaded(version, say("not all of it was checked"))
    return judgement


def _too_long(time_limit_s: float) -> Sentence:
    return say("it took more than {limit_s} s", limit_s=round(time_limit_s))


def _last_words(done: _Done) -> Sentence:
    last = done.errors.decode(errors="replace").strip().rpartition("\n")[2]
    shown = last[:_LAST_CHARACTERS].encode("unicode_escape").decode("ascii")
    return quoted(shown) if shown else say("exit status {status}", status=done.status)


def _not_loaded(version: int, why: Sentence) -> Judgement:
    sentence = say("it could not be loaded: {why}", why=why)
    return Judgement(version, (found("loading", Severity.REFUSED, sentence),))
