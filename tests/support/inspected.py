# SPDX-License-Identifier: Apache-2.0
"""A province, an enrolled gateway and its inspection record, for tests."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cached_property
from typing import TYPE_CHECKING, Any

from filterd.appliance.enrolment import SchoolGateway, device_key, enrol, install
from filterd.appliance.inspection_record import signed_record
from filterd.base.state_folder import StateFolder
from filterd.feed.signed.trust import read_root
from filterd.reports import inspection_facts
from filterd.reports.inspection_facts import (
    HistoryHead,
    InspectedCategory,
    InspectedException,
    InspectedFinding,
    InspectedList,
    InspectedLists,
    InspectionFacts,
    SelfTestFacts,
    TestedCategory,
)
from filterd.reports.report_facts import FullLogSpan, ServiceFacts, ServiceGap
from filterd.texts.i18n import say
from tests.support.publisher import DAY_S, NOW, Publisher

if TYPE_CHECKING:
    from pathlib import Path

    from tuf.api.metadata import Root

SCHOOL = {"code": "79000701", "name": 'Trường THCS <Nguyễn Trãi> & "Bạn"'}
FACTS = InspectionFacts(
    made_at=int(NOW),
    is_time_known=True,
    time_zone="Asia/Ho_Chi_Minh",
    filterd="0.9.0",
    update="none",
    up_s=864_000,
    policy="5f3c0a9b1e77",
    tiers=("lower-secondary", "staff"),
    grades=("6", "9", "staff"),
    classes=2,
    networks=4,
    rooms=1,
    lists=InspectedLists(
        names=612_000,
        version="412",
        origin="feed",
        built_at=int(NOW) - 7_200,
        verified_at=int(NOW) - 3_600,
        freshness="fresh",
        digest="0123456789ab",
        lists=(InspectedList("gambling-vn", "gambling", 31_000, "89abcdef0123", is_own=True),),
        categories=(
            InspectedCategory(
                "gambling",
                {"vi": "Cờ bạc", "en": "Gambling"},
                31_000,
                True,
                ("lower-secondary",),
                ("hostsvn-gambling", "ut1-gambling"),
                "2026-09-01",
                "2026-09-03",
            ),
        ),
    ),
    service=ServiceFacts(
        days=365,
        days_in_service=364,
        minutes=523_000,
        minutes_expected=525_600,
        gaps=(ServiceGap(int(NOW) - 90_000, int(NOW) - 3_600),),
        gap_count=4,
        days_unreadable=("2026-09-13",),
    ),
    self_test=SelfTestFacts(
        int(NOW) - 5_000,
        1,
        1,
        (
            TestedCategory("lower-secondary", "gambling", "passed", "udp"),
            TestedCategory("staff", "gambling", "failed", "udp"),
        ),
    ),
    exceptions=(
        InspectedException("name", True, "class", int(NOW) - 60, int(NOW) + 600, ("teacher",)),
        InspectedException("pause", True, "network", int(NOW) - 60, None, ()),
    ),
    history=HistoryHead(118, "ab" * 32, is_sound=True),
    log_levels={"lower-secondary": "counts", "staff": "full"},
    log_full=(FullLogSpan("staff", int(NOW) - 86_400, int(NOW) + 86_400),),
    unmet=(say("expected: {written}; but it {came} for {grades}{why}", written="…"),),
    findings=(InspectedFinding("disk", "clean", say("{n} free", n="…")),),
)


@dataclass
class EnrolledGateway:
    """A gateway and its province; ``begin`` enrols it for a year."""

    folder: Path
    school: dict[str, str]
    province: Publisher

    @cached_property
    def state(self) -> StateFolder:
        """Its state folder."""
        self.folder.mkdir(exist_ok=True)
        return StateFolder(self.folder)

    @property
    def gateway(self) -> SchoolGateway:
        """As it asks for enrolment."""
        key = device_key(self.state.device_key).public_key
        return SchoolGateway(self.school["code"], self.school["name"], key)

    @property
    def root(self) -> Root:
        """The root of the province."""
        return read_root(self.province.root)

    def enrol(self, days: int = 365, now: float = NOW) -> bytes:
        """Have the province enrol it; return the file."""
        octets = enrol(self.gateway, self.province.signers["fleet"][0], now, days)
        install(octets, self.root, self.gateway, now, self.state.enrolment)
        return octets

    def record(self, facts: InspectionFacts = FACTS, **changed: Any) -> bytes:
        """Return a record; ``changed`` are facts."""
        plain = inspection_facts.plain_of(replace(facts, **changed))
        return signed_record(self.school, plain, self.state)


def enrolled(folder: Path, code: str = SCHOOL["code"], days: int = 365) -> EnrolledGateway:
    """Return an enrolled gateway of a new province."""
    gateway = EnrolledGateway(folder / "state", {**SCHOOL, "code": code}, Publisher(folder / "www"))
    gateway.enrol(days)
    return gateway


__all__ = ["DAY_S", "FACTS", "NOW", "SCHOOL", "EnrolledGateway", "enrolled"]
