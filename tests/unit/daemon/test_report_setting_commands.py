# SPDX-License-Identifier: Apache-2.0
"""Everybody reads the letterhead; the school's own template is for those who report."""

from __future__ import annotations

import asyncio
import base64
from dataclasses import replace
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any, cast

import pytest

from filterd.daemon.control_caller import Caller
from filterd.daemon.report_setting_commands import commands
from filterd.errors import ConfigError, ControlError
from filterd.overrides.roles import Role
from filterd.reports.report_run import LARGEST_TEMPLATE
from tests.support.report_sample import SETTINGS

if TYPE_CHECKING:
    from pathlib import Path

    from filterd.policy.report_settings import ReportSettings


def _ask(command: str, role: Role, settings: ReportSettings | None = SETTINGS) -> Any:
    policy = SimpleNamespace(report=settings, language="vi")
    manager = SimpleNamespace(site=SimpleNamespace(policy=policy))
    run = commands(cast("Any", manager))[command]

    async def whole() -> Any:
        return await run({}, Caller(1002, "lan", frozenset({role.group})))

    return asyncio.run(whole())


@pytest.mark.parametrize("role", Role)
def test_every_role_reads_the_settings(role: Role) -> None:
    told = _ask("report-settings", role)
    assert (told["language"], told["settings"]["place"]) == ("vi", SETTINGS.place)
    assert _ask("report-settings", role, None)["settings"]["symbol"] == "BC"


def test_the_template_is_handed_to_those_who_report_outside_the_school(tmp_path: Path) -> None:
    path = tmp_path / "mau.docx"
    path.write_bytes(b"PK\x03\x04")
    own = replace(SETTINGS, template=str(path))
    for role in (Role.PRINCIPAL, Role.ADMIN):
        assert base64.b64decode(_ask("report-template", role, own)) == b"PK\x03\x04"
        assert _ask("report-template", role) is _ask("report-template", role, None) is None
    for role in (Role.READER, Role.TEACHER, Role.INSPECTOR):
        with pytest.raises(ControlError, match="may not look"):
            _ask("report-template", role, own)


def test_a_template_that_is_missing_too_large_or_no_file_is_refused(tmp_path: Path) -> None:
    large = tmp_path / "large.docx"
    large.write_bytes(bytes(LARGEST_TEMPLATE + 1))
    for path in (large, tmp_path, tmp_path / "none"):
        with pytest.raises(ConfigError, match=path.name):
            _ask("report-template", Role.ADMIN, replace(SETTINGS, template=str(path)))
