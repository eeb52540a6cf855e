# SPDX-License-Identifier: Apache-2.0
"""Each lookup is recorded as far as the level of its tier has it, and no device with it."""

from __future__ import annotations

from dataclasses import replace
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any, cast
from zoneinfo import ZoneInfo

import pytest

from filterd.base.errors import IndexFormatError
from filterd.daemon.serving import lookup_recorder as module
from filterd.daemon.serving.lookup_recorder import LookupRecorder
from filterd.lists.rules import Pin
from filterd.policy.confidential_names import HELP
from filterd.policy.log_levels import LogLevel, QueryLog
from filterd.policy.model import UpstreamServer
from filterd.policy.verdict import PASSED
from filterd.querylog.lookups import Lookup
from filterd.querylog.pseudonyms import Pseudonyms
from filterd.resolve.query import Answer, Source
from filterd.resolve.site import Site
from filterd.texts.i18n import say
from filterd.wire import name as names
from tests.support.chain import a_chain_query
from tests.support.clock import FakeClock
from tests.support.indexes import wire
from tests.support.policies import a_policy, an_index
from tests.support.serving import GRADE_1, GRADE_11, NETWORKS, STAFF, Serving

if TYPE_CHECKING:
    from pathlib import Path

    from filterd.lists.index import Index
    from filterd.resolve.query import Query
    from tests.support.upstream import FakeUpstream

LISTS = {
    "porn": ("porn", "domains", False, ["porn.example"]),
    "harm": ("self-harm", "domains", True, ["harm.example"]),
    "both": ("porn", "domains", False, ["harm.example", "open-harm.example"]),
    "open": ("self-harm", "domains", True, ["open-harm.example", "only-harm.example"]),
}
DAY_S = 86_400
FULL = QueryLog(LogLevel.FULL)
TIERS = QueryLog(LogLevel.COUNTS, {"primary": LogLevel.BLOCKED, "upper-secondary": LogLevel.NAMES})


@pytest.fixture
def lists(tmp_path: Path) -> Index:
    return an_index(tmp_path, LISTS)


def a_site(lists: Index, log: QueryLog = FULL, *servers: UpstreamServer) -> Site:
    pins = [Pin(wire("line.example"), subtree=True, reason=HELP)]
    policy = replace(a_policy(networks=NETWORKS, pins=pins), log=log, lease_zone=wire("lan"))
    return Site.of(policy, lists, servers or (UpstreamServer("192.0.2.53"),))


class Recording:
    """A recorder of a site, given answers without a chain."""

    def __init__(self, folder: Path, site: Site) -> None:
        self.clock, self.site, self.due = FakeClock(), site, 0
        self.resolver = cast(
            "Any", SimpleNamespace(observers=(), is_own=lambda _: False, is_unlisted=None)
        )
        pseudonyms = Pseudonyms(folder / "log-key", ZoneInfo("UTC"))
        self.recorder = LookupRecorder(self.resolver, pseudonyms, self.clock, self._is_due)
        self.recorder.apply(site, 0)

    def _is_due(self) -> None:
        self.due += 1

    def saw(self, name: str, address: str = GRADE_1, **answered: Any) -> None:
        self.recorder.saw(*self.answered(name, address, **answered))

    def answered(self, name: str, address: str = GRADE_1, **answered: Any) -> tuple[Query, Answer]:
        query = a_chain_query(self.site, name, address=address)
        verdict = self.site.engine.decide(query.client, query.qname, 1, 0)
        source = Source.BLOCKED if verdict.blocked else Source.FORWARDED
        return query, Answer(source, verdict)._replace(**answered)

    def is_unlisted(self, name: str, **answered: Any) -> bool:
        is_unlisted = self.resolver.is_unlisted
        return is_unlisted is not None and is_unlisted(*self.answered(name, **answered))

    def lookups(self) -> list[Lookup]:
        return [one for batch in self.recorder.queue.take_all() for one in batch.lookups]

    def names(self) -> list[tuple[str, bool]]:
        return [(names.to_text(lookup.name), lookup.is_row) for lookup in self.lookups()]


@pytest.fixture
def recording(tmp_path: Path, lists: Index) -> Recording:
    return Recording(tmp_path, a_site(lists))


def test_a_lookup_has_time_name_class_and_what_decided(recording: Recording) -> None:
    recording.saw("porn.example")
    (one,) = recording.lookups()
    assert one.at == int(recording.clock.wall())
    assert one.name == wire("porn.example")
    assert one.context == ("1", "", "grade-1", "porn", "blocked", "porn")
    assert one.is_row
    assert one.n == 1


@pytest.mark.parametrize(
    ("level", "expected"),
    [
        (LogLevel.OFF, []),
        (LogLevel.COUNTS, []),
        (LogLevel.NAMES, [("porn.example", False), ("a.example", False)]),
        (LogLevel.BLOCKED, [("porn.example", True), ("a.example", False)]),
        (LogLevel.FULL, [("porn.example", True), ("a.example", True)]),
    ],
)
def test_each_level_has_its_rows(
    level: LogLevel, expected: list[tuple[str, bool]], tmp_path: Path, lists: Index
) -> None:
    recording = Recording(tmp_path, a_site(lists, QueryLog(level)))
    recording.saw("porn.example")
    recording.saw("a.example")
    assert recording.names() == expected
    assert bool(recording.resolver.observers) is bool(expected)


def test_each_tier_has_its_level(tmp_path: Path, lists: Index) -> None:
    recording = Recording(tmp_path, a_site(lists, TIERS))
    for address in (GRADE_1, GRADE_11, STAFF):
        recording.saw("porn.example", address)
    assert [(lookup.context.tier, lookup.is_row) for lookup in recording.lookups()] == [
        ("primary", True),
        ("upper-secondary", False),
    ]


@pytest.mark.parametrize(
    "name", ["harm.example", "www.harm.example", "open-harm.example", "line.example"]
)
def test_confidential_names_are_never_recorded(name: str, recording: Recording) -> None:
    recording.saw(name, STAFF)
    recording.saw("a.example", verdict=PASSED)
    assert recording.names() == [("a.example", True)]


@pytest.mark.parametrize("level", LogLevel)
def test_where_rows_are_kept_sums_have_no_more_than_rows(
    level: LogLevel, tmp_path: Path, lists: Index
) -> None:
    recording = Recording(tmp_path, a_site(lists, QueryLog(level)))
    has_blocks, has_all = level.includes(LogLevel.NAMES), level is LogLevel.FULL
    assert recording.is_unlisted("line.example") is has_all
    assert recording.is_unlisted("line.example", source=Source.FAILED) is has_all
    assert recording.is_unlisted("open-harm.example", source=Source.FORWARDED) is has_all
    by_exam = {"source": Source.BLOCKED, "verdict": PASSED}
    for name in ("line.example", "harm.example", "open-harm.example"):
        assert recording.is_unlisted(name, **by_exam) is has_blocks
    assert recording.is_unlisted("harm.example") is has_blocks, "as porn it would be in a class"
    assert not recording.is_unlisted("only-harm.example"), "the school counts it, by the day"
    for name in ("porn.example", "a.example"):
        assert not recording.is_unlisted(name)
        assert not recording.is_unlisted(name, **by_exam)


def test_a_name_whose_list_cannot_be_read_is_in_no_sum_of_rows(
    recording: Recording, monkeypatch: pytest.MonkeyPatch
) -> None:
    def damaged(*_: Any) -> bool:
        raise IndexFormatError(say("damaged"))

    monkeypatch.setattr(type(recording.site.confidential), "__contains__", damaged)
    assert recording.is_unlisted("a.example")


def test_a_name_that_becomes_confidential_is_recorded_no_longer(
    recording: Recording, lists: Index
) -> None:
    recording.saw("a.example")
    pins = [Pin(wire("a.example"), subtree=False, reason=HELP)]
    policy = replace(a_policy(networks=NETWORKS, pins=pins), log=FULL)
    for is_applied in (False, True):  # a query may be of a site that is not applied yet
        recording.site = Site.of(policy, lists, (UpstreamServer("192.0.2.53"),))
        if is_applied:
            recording.recorder.apply(recording.site, 0)
        recording.saw("a.example")
    assert recording.names() == [("a.example", True)]


def test_names_memorised_are_bounded_and_end_with_the_day(
    recording: Recording, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "_MOST_KNOWN", 3)
    for number in range(8):
        recording.saw(f"n{number % 4}.example")
        assert len(recording.recorder._names) <= 3
    assert [name for name, _ in recording.names()] == [f"n{n % 4}.example" for n in range(8)]
    recording.clock.advance(DAY_S)
    recording.recorder._end_yesterday()
    assert not recording.recorder._names


def test_control_without_the_check_such_a_name_is_recorded(
    recording: Recording, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(type(recording.site.confidential), "__contains__", lambda *_: False)
    recording.saw("harm.example")
    assert recording.names() == [("harm.example", True)]


@pytest.mark.parametrize(
    ("name", "recorded"),
    [
        ("7.1.168.192.in-addr.arpa", "in-addr.arpa"),
        ("b._dns-sd._udp.0.1.168.192.in-addr.arpa", "in-addr.arpa"),
        ("1.0.0.0.8.b.d.0.1.0.0.2.ip6.arpa", "ip6.arpa"),
        ("an-iphone.lan", "lan"),
        ("www.google.com.lan", "lan"),
        ("an-iphone.local", "local"),
        ("192-168-1-7.abcdef.plex.direct", "abcdef.plex.direct"),
        ("www.10.0.0.7.nip.io", "nip.io"),
        ("7.0.0.10.zen.example", "zen.example"),
        ("10.0.0.7", "."),
        ("5.192.168.1.7.x.192-168-1-8.example", "example"),
        ("ec2-52-1-2-3.compute.example", "ec2-52-1-2-3.compute.example"),
        ("10-999-0-7.example", "10-999-0-7.example"),
        ("alan", "alan"),
        ("x.vnlocal", "x.vnlocal"),
    ],
)
def test_of_names_that_are_of_devices_the_zone_is_recorded(
    name: str, recorded: str, recording: Recording
) -> None:
    recording.saw(name)
    assert recording.names() == [(recorded, True)]


def test_the_last_client_of_a_question_counts(tmp_path: Path, lists: Index) -> None:
    recording = Recording(tmp_path, a_site(lists, TIERS))
    readmitted = a_chain_query(recording.site, "porn.example", address=STAFF)
    recording.saw("porn.example", GRADE_1, readmitted=readmitted)
    assert not recording.lookups()
    readmitted = a_chain_query(recording.site, "porn.example", address=GRADE_1)
    recording.saw("porn.example", STAFF, readmitted=readmitted)
    assert [lookup.context.grade for lookup in recording.lookups()] == ["1"]


def test_own_questions_are_not_recorded(recording: Recording) -> None:
    recording.resolver.is_own = lambda _: True
    recording.saw("a.example")
    assert not recording.lookups()


def test_while_the_date_is_not_known_lookups_are_counted_only(recording: Recording) -> None:
    recording.recorder.apply(recording.site, recording.clock.wall() + 60)
    recording.saw("a.example")
    assert (recording.lookups(), recording.recorder.facts()["rows_undated"]) == ([], 1)


def test_a_device_has_another_pseudonym_each_day(recording: Recording) -> None:
    for _ in range(2):
        recording.saw("a.example")
        recording.saw("a.example")
        recording.clock.advance(DAY_S)
    first, same, other, _ = (lookup.device for lookup in recording.lookups())
    assert first == same != other
    assert 0 not in (first, other)


def test_an_error_is_logged_once_and_reaches_no_answer(
    recording: Recording, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(recording.recorder, "_record", lambda *_: 1 / 0)
    recording.saw("a.example")
    recording.saw("a.example")
    assert recording.recorder.facts()["rows_lost"] == 2
    assert len(caplog.records) == 1


def test_followers_get_rows_only(tmp_path: Path, lists: Index) -> None:
    recording, rows = Recording(tmp_path, a_site(lists, TIERS)), list[Lookup]()
    recording.recorder.on_row = rows.append
    recording.saw("porn.example")
    recording.saw("a.example")
    assert [row.name for row in rows] == [wire("porn.example")]


def test_the_manager_is_notified_once_that_there_is_enough(
    recording: Recording, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "WRITE_FROM", 3)
    for number in range(9):
        recording.saw(f"n{number}.example")
    assert recording.due == 1


@pytest.mark.usefixtures("needs_native")
def test_the_fast_path_leaves_tiers_with_names_to_the_chain(
    tmp_path: Path, lists: Index, upstream: FakeUpstream
) -> None:
    upstream.add("a.example. 300 IN A 198.18.0.9")
    site = a_site(lists, TIERS, UpstreamServer(upstream.address, upstream.port))
    with Serving(site, listen=["127.0.0.1"], fast=True) as serving:
        pseudonyms = Pseudonyms(tmp_path / "log-key", ZoneInfo("UTC"))
        recorder = LookupRecorder(serving.resolver, pseudonyms, serving.clock)
        serving.run(lambda: recorder.apply(site, 0))
        for _ in range(5):
            serving.ask("porn.example")
            serving.ask("porn.example", source=STAFF)
            serving.ask("a.example", source=GRADE_11)
        found = serving.run(lambda: [one for b in recorder.queue.take_all() for one in b.lookups])
        assert [one.context.grade for one in found] == ["1", "11", "1", "1", "1", "1"]
        assert serving.run(lambda: serving.resolver.counters["blocked"]) == 6, "one of staff"
        serving.run(lambda: recorder.apply(a_site(lists), 0))
        serving.run(lambda: recorder.apply(a_site(lists, QueryLog(LogLevel.OFF)), 0))
        assert serving.run(lambda: serving.resolver.observers) == ()
