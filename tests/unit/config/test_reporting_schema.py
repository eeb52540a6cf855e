# SPDX-License-Identifier: Apache-2.0
"""``report`` in site.yaml: what is taken, and what is refused with its place."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from pydantic import ValidationError

from filterd.config.reporting_schema import ReportEntry
from filterd.documents import parse
from filterd.policy.log_levels import LogLevel, QueryLog
from filterd.policy.reporting_settings import AlertSettings, MailSettings, WebhookSettings
from tests.support.site import a_policy, problems

if TYPE_CHECKING:
    from pathlib import Path


def _entry(text: str) -> ReportEntry:
    return ReportEntry.model_validate(parse(text.encode(), "site.yaml").data)


def test_a_letterhead_with_programmes_terms_and_a_schedule_is_taken() -> None:
    entry = _entry(
        "superior: UBND phường\nterms: {hk1: 09-05..01-15}\nyear_begins: 09-05\n"
        "programmes: [{name: Chương trình, from: 2026-01-01, legal_bases: [Luật số 1]}]\n"
        "template: Mẫu 2026/Báo cáo.docx\nsigner: {post: Hiệu trưởng, name: Mai}\n"
        "schedule: [{every: month, formats: [xlsx], mail: true}]\n"
    )
    assert entry.programmes[0].from_ == "2026-01-01"
    assert entry.schedule[0].formats == ("xlsx",)


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("year_begins: 13-01\n", "is not a day of the year"),
        ("terms: {hk1: 09-05}\n", "is not a term"),
        ("terms: {hk1: 09-05..02-30}\n", "is not a day of the year"),
        ("programmes: [{name: P, from: soon}]\n", "is not a date"),
        ("schedule: [{every: month, formats: [pdf]}]\n", "formats"),
        ("schedule: [{every: month}]\n", "goes nowhere"),
        ("symbol: a/b\n", "symbol"),
        ("template: /var/lib/filterd/device.docx\n", "template"),
        ("template: ../../var/lib/filterd/device.docx\n", "template"),
        ("template: mau/../../a.docx\n", "template"),
        ("template: ./a.docx\n", "template"),
        ("template: accounts.filterd\n", "template"),
    ],
)
def test_other_values_are_refused(text: str, why: str) -> None:
    with pytest.raises(ValidationError, match=why):
        _entry(text)


def test_reports_are_mailed_only_where_alerts_have_a_mail_server(tmp_path: Path) -> None:
    report = "report:\n  schedule:\n    - {every: month, mail: true}\n"
    mail = "alerts: {mail: {server: m.vn, from: a@b.vn, to: [c@d.vn]}}\n"
    (problem,) = problems(tmp_path, report)
    assert "no mail server" in problem
    assert a_policy(tmp_path, report + mail).report is not None


def test_a_site_without_the_key_has_totals_only(tmp_path: Path) -> None:
    assert a_policy(tmp_path).log == QueryLog(LogLevel.COUNTS, {}, 30, 400, 5)


def test_a_tier_may_have_another_level_than_the_others(tmp_path: Path) -> None:
    text = "log: {level: off, tiers: {staff: blocked}, keep_days: 7, least_devices: 9}\n"
    assert a_policy(tmp_path, text).log == QueryLog(
        LogLevel.OFF, {"staff": LogLevel.BLOCKED}, 7, 400, 9
    )


@pytest.mark.parametrize("where", ["level: full", "tiers: {primary: full}"])
def test_full_is_refused_with_the_command_that_sets_it(tmp_path: Path, where: str) -> None:
    (problem,) = problems(tmp_path, f"log: {{{where}}}\n")
    assert "filterd log level full --tier TIER --for 3d" in problem


@pytest.mark.parametrize(
    ("where", "problem"),
    [
        ("level: name", "did you mean 'names'?"),
        ("tiers: {primry: names}", "did you mean 'primary'?"),
        ("tiers: {6A: names}", "6A"),
        ("keep_days: 0", "must be 1 or more"),
        ("keep_days: 91", "must be 90 or less"),
        ("keep_totals_days: 30", "must be 31 or more"),
        ("least_devices: 4", "must be 5 or more"),
    ],
)
def test_another_value_is_refused(tmp_path: Path, where: str, problem: str) -> None:
    assert problem in problems(tmp_path, f"log: {{{where}}}\n")[0]


MAIL = "server: smtp.truong.example, from: a@truong.example, to: [it@truong.example]"


def _webhook(url: str) -> str:
    return f'alerts: {{webhook: {{url: "{url}"}}}}\n'


def test_the_ways_of_alerts_are_compiled_with_names_of_secrets_only(tmp_path: Path) -> None:
    site = (
        f"alerts:\n  mail: {{{MAIL}, user: u, password_file: mail-password}}\n"
        '  webhook: {url: "https://chat.example/bot{token}/send?to=7", token_file: chat}\n'
    )
    assert a_policy(tmp_path, site).alerts == AlertSettings(
        "Mẫu",
        "Asia/Ho_Chi_Minh",
        "vi",
        MailSettings(
            "smtp.truong.example",
            587,
            "a@truong.example",
            ("it@truong.example",),
            "u",
            "mail-password",
        ),
        WebhookSettings("https://chat.example/bot{token}/send?to=7", "chat"),
    )


def test_a_site_that_names_none_has_none(tmp_path: Path) -> None:
    assert a_policy(tmp_path).alerts is None


@pytest.mark.parametrize("url", ["http://192.168.1.5/a", "http://[fd00::5]:8080/", "https://a.vn"])
def test_http_is_for_private_addresses_only(tmp_path: Path, url: str) -> None:
    alerts = a_policy(tmp_path, _webhook(url)).alerts
    assert alerts is not None
    assert alerts.webhook == WebhookSettings(url)


@pytest.mark.parametrize(
    ("site", "problem"),
    [
        (_webhook("http://chat.example/"), "needs https"),
        (_webhook("http://9.9.9.9/"), "needs https"),
        (_webhook("https://user:pw@chat.example/"), "not an address of a webhook"),
        (_webhook("https://{token}.example/"), "not an address of a webhook"),
        (_webhook("https://chat.example/#x"), "not an address of a webhook"),
        (_webhook("https://chat.example:0/"), "not an address of a webhook"),
        (_webhook("https://chat.example/{token}"), "the token has no file"),
        (f"alerts: {{mail: {{{MAIL}, user: u}}}}\n", "belong together"),
        (f"alerts: {{mail: {{{MAIL}, password_file: p}}}}\n", "belong together"),
        (f"alerts: {{mail: {{{MAIL}, user: u, password_file: ../p}}}}\n", "password_file"),
        (f"alerts: {{mail: {{{MAIL}, password: x}}}}\n", "password"),
        ("alerts: {mail: {server: a.vn, from: 'a@b.vn\\nBcc: c@d.vn', to: [a@b.vn]}}\n", "mail"),
        ("alerts: {mail: {server: 'a b', from: a@b.vn, to: [a@b.vn]}}\n", "is not a host"),
    ],
)
def test_unsafe_settings_are_refused_with_their_place(
    tmp_path: Path, site: str, problem: str
) -> None:
    (found,) = problems(tmp_path, site)
    assert problem in found
    assert "site.yaml:" in found
