# SPDX-License-Identifier: Apache-2.0
"""Mail and webhook of alerts: safe ways only, and no secret in the site's files."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from filterd.policy.alert_settings import AlertSettings, MailSettings, WebhookSettings
from tests.support.site import a_policy, problems

if TYPE_CHECKING:
    from pathlib import Path

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
        ("alerts: {mail: {server: 'a b', from: a@b.vn, to: [a@b.vn]}}\n", "is no host"),
    ],
)
def test_unsafe_settings_are_refused_with_their_place(
    tmp_path: Path, site: str, problem: str
) -> None:
    (found,) = problems(tmp_path, site)
    assert problem in found
    assert "site.yaml:" in found
