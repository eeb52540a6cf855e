# SPDX-License-Identifier: Apache-2.0
"""The control socket's commands for the settings and the template of reports."""

from __future__ import annotations

import asyncio
import base64
from pathlib import Path
from typing import TYPE_CHECKING, Any

from filterd.daemon.control_commands import author_of
from filterd.errors import ConfigError
from filterd.overrides.read_access import View, check_view
from filterd.paths import read_plain, reading
from filterd.policy.report_settings import ReportSettings
from filterd.reports.report_run import LARGEST_TEMPLATE
from filterd.state_file import to_plain

if TYPE_CHECKING:
    from filterd.daemon.control_caller import Caller
    from filterd.daemon.control_server import Command
    from filterd.daemon.manager import Manager


def commands(manager: Manager) -> dict[str, Command]:
    """Return the commands by name."""

    async def settings(_: dict[str, Any], __: Caller) -> dict[str, Any]:
        policy = manager.site.policy
        plain = to_plain(policy.report or ReportSettings())
        return {"settings": plain, "language": policy.language}

    async def template(_: dict[str, Any], caller: Caller) -> str | None:
        check_view(author_of(caller), View.EXPORT)
        report = manager.site.policy.report
        if report is None or not report.template:
            return None
        return await asyncio.to_thread(_content, Path(report.template))

    return {"report-settings": settings, "report-template": template}


def _content(path: Path) -> str:
    """Return the Word file in base64: processes without rights cannot read it.

    Raises:
        ConfigError: it cannot be read, or is too large.
    """
    with reading(path, ConfigError):
        return base64.b64encode(read_plain(path, LARGEST_TEMPLATE)).decode()
