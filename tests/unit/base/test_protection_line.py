# SPDX-License-Identifier: Apache-2.0
"""Every face shows the one judgement: none is content where another is not."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from filterd.appliance.doctor import examination
from filterd.appliance.doctor.probe import unseen
from filterd.base.protection_facts import ProtectionFacts
from filterd.base.protection_level import judge
from filterd.base.protection_line import SILENT, ProtectionSubject
from filterd.feed.feed_details import is_worrying
from filterd.monitor.alert_rules import active
from filterd.monitor.metrics import exposition
from filterd.monitor.status_details import STATUS as STATUS_DETAILS
from filterd.reports.inspection_composer import compose_inspection
from filterd.reports.inspection_facts import PrintedRecord, facts_of, plain_of
from filterd.reports.report_document import Paragraph
from filterd.texts.i18n import Texts, say
from filterd.texts.rows import SchoolClock, Wording
from filterd.web.protection_band import band
from tests.support.examined import FOUND, examined
from tests.support.inspected import FACTS
from tests.support.protections import CASES, NOW, Status, status_of

if TYPE_CHECKING:
    from pathlib import Path

    from filterd.appliance.doctor.probe import ExaminedSite

WORDING = Wording(Texts("en"), SchoolClock(ZoneInfo("UTC"), NOW))
STATES = st.lists(st.sampled_from(sorted(CASES)), max_size=4, unique=True).map(
    lambda names: status_of(*names)
)
"""Of a gateway: up to four things that are as they should not be, or almost."""


def _status_rows(status: Status) -> bool:
    (column,) = (one for one in STATUS_DETAILS.columns if str(one.heading) == "Protection")
    ((text, style),) = column.cells(status, WORDING)
    assert (text == "Protected") is (style == "green")
    return text == "Protected"


def _alerts(status: Status) -> bool:
    """Tell whether no alert is about the protection."""
    told = {one.alert for one in CASES.values()} - {""}
    return told.isdisjoint(one.id for one in active(status, NOW))


def _metrics(status: Status) -> bool:
    return b"\nfilterd_protected 1.0\n" in exposition(status)


def _doctor(status: Status, folder: Path) -> bool:
    """Examine with probes that see nothing themselves."""

    def nothing(_: ExaminedSite) -> Any:
        return [unseen(say("only root may look"))]

    site = examined(folder, status=status, feed=status["feed"])
    probes = [one._replace(look=nothing) for one in examination.PROBES]

    async def findings() -> list[Any]:
        return [one async for one in examination.examine(site, probes)]

    return FOUND not in [one.outcome for one in asyncio.run(findings())]


def _inspection(status: Status) -> bool:
    partly = tuple(one.sentence for one in judge(ProtectionFacts.of(status)).short)
    read = facts_of(plain_of(replace(FACTS, partly=partly)))
    record = PrintedRecord({"code": "1", "name": "x"}, "ab", None, read, "cd")
    parts = [one for all_ in compose_inspection(record, Texts("en")).sections for one in all_.parts]
    texts = [part.text for part in parts if isinstance(part, Paragraph)]
    return not any(text.startswith("Partly protected") for text in texts)


def _first_page(status: Status) -> bool:
    return band(status, {}, WORDING).level == "protected"


FACES = (_status_rows, _alerts, _metrics, _inspection, _first_page)


@settings(max_examples=80, deadline=None)
@given(STATES)
def test_no_face_is_content_where_another_is_not(
    tmp_path_factory: pytest.TempPathFactory, status: Status
) -> None:
    content = {face.__name__: face(status) for face in FACES}
    content["doctor"] = _doctor(status, tmp_path_factory.mktemp("site"))
    judged = judge(ProtectionFacts.of(status))
    assert set(content.values()) == {judged.is_whole}, content
    lists = judged.of(ProtectionSubject.LISTS, ProtectionSubject.FEED).is_whole
    assert lists or not judged.is_whole
    assert not is_worrying(status["feed"]) or not judged.is_whole


@pytest.mark.parametrize("name", CASES)
def test_each_state_alone_is_in_every_face(name: str, tmp_path: Path) -> None:
    status = status_of(name)
    content = {face.__name__: face(status) for face in FACES}
    content["doctor"] = _doctor(status, tmp_path)
    assert set(content.values()) == {not CASES[name].alert}, content


@pytest.mark.control
def test_control_faces_that_judge_by_the_number_of_names_disagree() -> None:
    """Without the one judgement the page was green over a starter list."""
    status = status_of("a starter list alone") | {"names": 1_484}
    is_green = not [one for one in active(status, NOW) if one.severity == "critical"]
    assert is_green is not _status_rows(status)


def test_a_daemon_that_is_silent_protects_nobody() -> None:
    assert not SILENT.is_whole
    assert b"\nfilterd_protected 0.0\n" in exposition(None)
