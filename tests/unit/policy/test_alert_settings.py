# SPDX-License-Identifier: Apache-2.0
"""Where alerts go is part of the compiled policy, and left out where a site names nothing."""

from __future__ import annotations

from dataclasses import replace

from filterd.policy import policy_file
from filterd.policy.alert_settings import AlertSettings, MailSettings, WebhookSettings
from tests.support.policies import a_policy

SETTINGS = AlertSettings(
    "Mẫu",
    "Asia/Ho_Chi_Minh",
    "vi",
    MailSettings("smtp.example", 465, "a@b.example", ("c@d.example",), "u", "p"),
    WebhookSettings("https://chat.example/"),
)


def test_a_policy_keeps_them_and_one_of_before_has_none() -> None:
    policy = replace(a_policy(), alerts=SETTINGS)
    assert policy_file.parse(policy_file.dump(policy), "x").alerts == SETTINGS
    assert b"alerts" not in policy_file.dump(a_policy())
