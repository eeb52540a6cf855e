# SPDX-License-Identifier: Apache-2.0
"""All probes run at once, none ends another, and none is silent."""

from __future__ import annotations

import asyncio
import io
import json
import logging
import threading
from typing import TYPE_CHECKING, Any

import pytest

from filterd.appliance.doctor import examination
from filterd.appliance.doctor.examination import ABOUT, PROBES, SiteProbe, examine
from filterd.appliance.doctor.probe import ProbeFinding, UnseenError, clean, unseen
from filterd.base.protection_line import ProtectionSubject
from filterd.texts.i18n import say
from tests.support.examined import CLEAN, FOUND, UNSEEN, examined

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from filterd.appliance.doctor.probe import ExaminedSite, ProbeOutcome

FINE = clean(say("fine"))


def _run(folder: Path, *looks: Any, within_s: float = 60) -> list[ProbeFinding]:
    probes = [SiteProbe(look.__name__, say("A thing"), look) for look in looks]

    async def collected(probes: Sequence[SiteProbe]) -> list[ProbeFinding]:
        return [one async for one in examine(examined(folder), probes, within_s)]

    return asyncio.run(collected(probes))


async def quick(_: ExaminedSite) -> list[ProbeFinding]:
    return [FINE, FINE]


async def endless(_: ExaminedSite) -> list[ProbeFinding]:
    await asyncio.get_running_loop().create_future()
    return []


def blocking(_: ExaminedSite) -> list[ProbeFinding]:
    threading.Event().wait()
    return []


def refused(_: ExaminedSite) -> list[ProbeFinding]:
    raise PermissionError


def missing(_: ExaminedSite) -> list[ProbeFinding]:
    raise FileNotFoundError(2, "No such file or directory")


def unseeing(_: ExaminedSite) -> list[ProbeFinding]:
    raise UnseenError(say("it is dark"))


def broken(_: ExaminedSite) -> list[ProbeFinding]:
    raise ZeroDivisionError


def test_findings_have_the_id_of_their_probe(tmp_path: Path) -> None:
    assert _run(tmp_path, quick) == [FINE._replace(probe="quick")] * 2


@pytest.mark.parametrize(
    ("look", "reason", "remedy"),
    [
        (refused, "only root may look", "run it again with sudo"),
        (missing, "No such file or directory", None),
        (unseeing, "it is dark", None),
        (broken, "the probe failed: ZeroDivisionError()", None),
    ],
)
def test_a_probe_that_fails_gives_its_reason(
    tmp_path: Path, look: Any, reason: str, remedy: str | None
) -> None:
    (one,) = _run(tmp_path, look)
    assert (one.outcome, one.text, one.remedy) == (UNSEEN, reason, remedy)


def test_what_takes_too_long_is_unseen_and_the_rest_is_not(tmp_path: Path) -> None:
    findings = _run(tmp_path, endless, blocking, quick, within_s=1.05)
    assert [finding.outcome for finding in findings] == [CLEAN, CLEAN, UNSEEN, UNSEEN]


def test_quick_findings_come_before_slow_ones_have_ended(tmp_path: Path) -> None:
    async def first() -> ProbeFinding:
        probes = [SiteProbe(one.__name__, say("A thing"), one) for one in (endless, quick)]
        findings = examine(examined(tmp_path), probes)
        one = await anext(findings)
        await findings.aclose()
        return one

    assert asyncio.run(first()).probe == "quick"


@pytest.mark.parametrize(
    ("looked", "outcome"),
    [(FINE, CLEAN), (unseen(say("only root may look")), FOUND)],
)
def test_a_look_of_before_counts_for_links_that_cannot_be_seen_now(
    tmp_path: Path, looked: ProbeFinding, outcome: ProbeOutcome
) -> None:
    """The status has what root kept at the last look: the firewall may be mended since."""
    links = {"protection": {"links": {"lan1": "open"}}, "signals": {}}
    site = examined(tmp_path, status=links)
    probe = SiteProbe(
        "ways", say("A thing"), lambda _: [looked], seen_anew=(ProtectionSubject.LINKS,)
    )

    async def findings() -> list[ProbeFinding]:
        return [one async for one in examine(site, [probe])]

    (finding,) = asyncio.run(findings())
    assert finding.outcome is outcome


def test_each_probe_has_its_own_id() -> None:
    assert len(ABOUT) == len(PROBES)


def test_the_child_of_the_daemon_hands_over_what_was_found(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    probe, output = SiteProbe("port", say("A thing"), quick), io.BytesIO()
    monkeypatch.setattr(examination, "gather", lambda *_: examined(tmp_path))
    monkeypatch.setattr(examination.examine, "__defaults__", ((probe,), 60.0))
    try:
        examination._answer({"config": str(tmp_path), "state": str(tmp_path)}, output)
    finally:
        logging.disable(logging.NOTSET)
    found = json.loads(output.getvalue())
    assert found == [FINE._replace(probe="port").to_plain()] * 2
