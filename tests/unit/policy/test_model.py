# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import inspect
from dataclasses import MISSING, FrozenInstanceError, fields, is_dataclass, replace
from enum import Enum, StrEnum
from typing import TYPE_CHECKING, Any

import pytest

from filterd.base.state_file import ADDED
from filterd.policy import log_levels, model, policy_file, reporting_settings, temporary_rules
from filterd.policy.model import (
    GRADES,
    TIERS,
    Audience,
    BlockResponse,
    Client,
    Expectation,
    GradePolicy,
    strictest,
)
from tests.support.policies import a_grade, a_policy, allow, block, wire

if TYPE_CHECKING:
    from pathlib import Path
    from types import ModuleType

    from filterd.policy.model import LocalRule

RECORDS = [one for _, one in inspect.getmembers(model, is_dataclass) if isinstance(one, type)]


def test_grades_are_the_twelve_years_and_four_groups() -> None:
    assert GRADES[1:13] == tuple(str(year) for year in range(1, 13))
    assert {GRADES[0], *GRADES[13:]} == {"preschool", "continuing", "staff", "guest"}


def test_tiers_are_the_seven_of_the_glossary() -> None:
    assert len(set(TIERS)) == 7
    assert {"preschool", "continuing", "staff", "guest"} <= set(TIERS) & set(GRADES)


def test_responses_and_audiences_are_the_words_of_the_yaml() -> None:
    assert [str(one) for one in BlockResponse] == ["nxdomain", "nodata", "sinkhole"]
    assert [str(one) for one in Audience] == [
        "everybody",
        "tier",
        "grade",
        "class",
        "network",
        "client",
    ]


@pytest.mark.parametrize("record", RECORDS)
def test_records_never_change_and_take_no_unknown_field(record: Any) -> None:
    assert record.__doc__
    value, name = record.__new__(record), fields(record)[0].name
    with pytest.raises(FrozenInstanceError):
        setattr(value, name, None)
    with pytest.raises(FrozenInstanceError):
        value.other = None


def test_a_grade_that_differs_somewhere_has_a_key_of_its_own() -> None:
    grade = GradePolicy("6", "lower-secondary", 11, frozenset(), BlockResponse.NXDOMAIN)
    assert grade.key == "6"
    assert replace(grade, variant="lab").key == "6@lab"
    assert replace(grade, class_id="6A").key == "6A"
    assert replace(grade, class_id="6A", variant="lab").key == "6A@lab"


def test_the_strictest_has_most_closed() -> None:
    strict = a_grade("12", also_closed=("ads-trackers", "social-media", "games"))
    assert strictest([a_grade("1"), strict, a_grade("staff")]) is strict


def test_of_equals_it_is_the_youngest() -> None:
    younger = a_grade("1")
    assert strictest([a_grade("2"), younger, a_grade("3")]) is younger


def test_a_grade_with_allowed_names_only_is_the_strictest() -> None:
    examined = replace(a_grade("staff"), allow_only=True)
    assert strictest([a_grade("1"), examined]) is examined


PUPIL = Client(a_grade("6"), network="lab", address="192.0.2.6")
UNKNOWN = Client(a_grade("6"), network=None, address="192.0.2.7")
NOBODY = Client(a_grade("6"))


@pytest.mark.parametrize(
    ("audience", "whom", "pupil", "unknown", "nobody"),
    [
        (Audience.EVERYBODY, "", True, True, True),
        (Audience.TIER, "lower-secondary", True, True, True),
        (Audience.TIER, "primary", False, False, False),
        (Audience.GRADE, "6", True, True, True),
        (Audience.GRADE, "7", False, False, False),
        (Audience.NETWORK, "lab", True, False, False),
        (Audience.NETWORK, "", False, False, False),
        (Audience.CLIENT, "192.0.2.6", True, False, False),
        (Audience.CLIENT, "", False, False, False),
    ],
)
def test_a_rule_holds_for_its_audience(
    audience: Audience, whom: str, pupil: bool, unknown: bool, nobody: bool
) -> None:
    rule = allow("site.example", audience, whom)
    meant = [client.is_meant_by(rule) for client in (PUPIL, UNKNOWN, NOBODY)]
    assert meant == [pupil, unknown, nobody]


@pytest.mark.parametrize(
    ("exam", "made", "meant"),
    [
        ("", allow("site.example"), True),
        ("9", allow("site.example"), False),
        ("9", block("site.example"), True),
        ("", replace(allow("site.example"), exam="9"), False),
        ("9", replace(allow("site.example"), exam="9"), True),
        ("8", replace(allow("site.example"), exam="9"), False),
    ],
)
def test_a_client_in_an_exam_has_its_allows_and_the_blocks_of_all(
    exam: str, made: LocalRule, meant: bool
) -> None:
    assert Client(replace(a_grade("6"), exam=exam)).is_meant_by(made) is meant


def test_an_expectation_outlives_the_file_it_is_written_to(tmp_path: Path) -> None:
    at_times: list[dict[str, object]] = [{}, {"at": 1.5}, {"weekday": 0, "second": 28_800}]
    expectations = tuple(
        replace(
            Expectation(
                wire("a.example"), True, Audience.TIER, "primary", "a.example ...", "x.yaml", 3
            ),
            **when,  # type: ignore[arg-type]
        )
        for when in at_times
    )
    policy = replace(a_policy(), expectations=expectations)
    policy_file.save(tmp_path / "policy", policy)
    assert policy_file.load(tmp_path / "policy") == policy


def test_a_window_without_conditions_is_for_all_its_weekdays() -> None:
    window = model.Window(frozenset({0}), 0, model.DAY_S)
    assert (window.first, window.last, window.holidays) == (None, None, None)


def _defaults(record: type) -> dict[str, object]:
    found = {field.name: field.default for field in fields(record) if field.default is not MISSING}
    return {name: str(value) if isinstance(value, Enum) else value for name, value in found.items()}


@pytest.mark.parametrize(
    ("record", "defaults"),
    [
        (
            model.Category,
            {
                "min_age": None,
                "locked": False,
                "ordered": False,
                "security": False,
                "sinkhole": True,
                "rating": "",
                "legal_basis": (),
                "confidential": False,
                "guarded": False,
                "part_of": "",
            },
        ),
        (
            model.Service,
            {"min_age": None, "names": (), "terms_date": "", "note_vi": "", "note_en": ""},
        ),
        (model.Scheduled, {"audience": "everybody", "whom": ""}),
        (
            GradePolicy,
            {
                "sinkhole_ipv4": "0.0.0.0",
                "sinkhole_ipv6": "::",
                "client_ttl_max_s": 600,
                "safe_search": "off",
                "youtube": "off",
                "strip_ech": False,
                "opened": frozenset(),
                "allow_only": False,
                "variant": "",
                "exam": "",
                "paused": False,
                "class_id": "",
                "guarded": frozenset(),
            },
        ),
        (model.SchoolClass, {"teachers": ()}),
        (
            model.Network,
            {
                "cidrs": (),
                "interfaces": (),
                "macs": (),
                "timetable": (),
                "room": False,
                "on_holidays": False,
            },
        ),
        (model.LocalRule, {"author": "", "starts_at": None, "ends_at": None, "exam": ""}),
        (
            model.UpstreamServer,
            {"port": 53, "tls": "no", "tls_name": "", "trusted": False, "randomise_case": False},
        ),
        (model.ListenAddress, {"port": 53}),
        (model.RateLimit, {"queries_a_second": 200, "burst": 2_000}),
        (model.Period, {"teacher": ""}),
        (Expectation, {"at": None, "weekday": None, "second": None, "shipped": False}),
        (
            temporary_rules.LogSetting,
            {"ends_at": None, "confirmed_by": "", "for_s": None},
        ),
        (reporting_settings.MailSettings, {"user": "", "password_file": ""}),
        (reporting_settings.WebhookSettings, {"token_file": ""}),
        (reporting_settings.Programme, {"begins": "", "receiver": "", "legal_bases": ()}),
        (
            reporting_settings.ReportSchedule,
            {"formats": ("docx",), "folder": "", "is_mailed": False},
        ),
        (
            log_levels.QueryLog,
            {"level": "counts", "keep_days": 30, "keep_totals_days": 400, "least_devices": 5},
        ),
    ],
)
def test_what_a_file_of_before_does_not_say_closes_nothing_and_opens_nothing(
    record: type, defaults: dict[str, object]
) -> None:
    """A policy file of an earlier release has fewer fields: its meaning must not change."""
    assert _defaults(record) == defaults


def test_a_client_is_nowhere_and_nobody_by_default() -> None:
    client = Client(a_grade("6"))
    assert (client.network, client.address, client.mac, client.is_probe) == (None,) * 3 + (False,)


def test_a_site_has_one_worker_and_thirty_two_mebioctets_of_cache() -> None:
    policy = a_policy()
    assert (policy.workers, policy.cache_octets, policy.feed, policy.contact) == (
        1,
        32 << 20,
        "",
        "",
    )
    assert (policy.lease_zone, policy.alerts, policy.report) == (None, None, None)
    empty = (policy.leases, policy.rewrites, policy.kept_closed, policy.expectations)
    assert not any(empty)


@pytest.mark.parametrize(
    ("paused", "made", "meant"),
    [
        (True, block("site.example"), False),
        (True, allow("site.example"), True),
        (True, replace(block("site.example"), id=f"{model.EXPECTED}x"), True),
        (False, block("site.example"), True),
    ],
)
def test_in_a_pause_no_block_holds_but_what_is_expected(
    paused: bool, made: LocalRule, meant: bool
) -> None:
    assert Client(replace(a_grade("6"), paused=paused)).is_meant_by(made) is meant


@pytest.mark.parametrize(("whom", "meant"), [("6A", True), ("6B", False)])
def test_a_rule_for_a_class_is_for_that_class(whom: str, meant: bool) -> None:
    of_class = Client(replace(a_grade("6"), class_id="6A"))
    assert of_class.is_meant_by(allow("site.example", Audience.CLASS, whom)) is meant
    assert not PUPIL.is_meant_by(allow("site.example", Audience.CLASS, whom))


def _added(module: ModuleType) -> dict[str, list[str]]:
    found = {
        name: [field.name for field in fields(kind) if ADDED in field.metadata]
        for name, kind in inspect.getmembers(module, is_dataclass)
        if isinstance(kind, type) and kind.__module__ == module.__name__
    }
    return {name: those for name, those in found.items() if those}


@pytest.mark.parametrize(
    ("module", "added"),
    [
        (
            model,
            {
                "Category": ["rating", "legal_basis", "confidential", "guarded", "part_of"],
                "Service": ["terms_date", "note_vi", "note_en"],
                "GradePolicy": ["paused", "class_id", "guarded"],
                "Period": ["teacher"],
                "Policy": ["classes", "alerts", "report", "contact", "listen_tls", "firewall"],
            },
        ),
        (
            temporary_rules,
            {
                "ClassLoan": ["for_s"],
                "Exam": ["for_s"],
                "GradeSetting": ["ends_at"],
                "LocalException": ["for_s"],
                "LogSetting": ["for_s"],
                "Overrides": ["loans", "device_names", "log_settings"],
                "RoomSetting": ["for_s"],
            },
        ),
        (
            log_levels,
            {"QueryLog": ["tiers", "keep_days", "keep_totals_days", "least_devices"]},
        ),
    ],
)
def test_fields_that_an_earlier_release_does_not_know_may_be_missing(
    module: ModuleType, added: dict[str, list[str]]
) -> None:
    """Its files are read without them, and it reads ours where they are empty."""
    found = _added(module)
    assert {name: found.get(name) for name in added} == added


@pytest.mark.parametrize(
    ("kind", "words"),
    [
        (model.Tls, ["no", "strict", "opportunistic"]),
        (model.LeaseFormat, ["dnsmasq", "kea"]),
        (log_levels.LogLevel, ["off", "counts", "names", "blocked", "full"]),
        (
            reporting_settings.PeriodKind,
            ["day", "week", "month", "term", "year", "span"],
        ),
    ],
)
def test_words_of_files_and_of_the_history_stay(kind: type[StrEnum], words: list[str]) -> None:
    assert [one.value for one in kind] == words
