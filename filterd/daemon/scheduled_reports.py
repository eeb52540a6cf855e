# SPDX-License-Identifier: Apache-2.0
"""How the scheduled reports went last: written by their unit, read for the status."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from filterd.i18n import UNSAID, Sentence
from filterd.state_file import FileFormat, to_plain

if TYPE_CHECKING:
    from pathlib import Path


@dataclass(frozen=True, slots=True)
class ScheduledReports:
    """The state of the scheduled reports.

    Attributes:
        delivered: the last day of the last period that was delivered, ISO 8601, by delivery
            (``appliance.report_schedule``).
        done_at: Unix time of the last delivery; None for none yet.
        failing_since: Unix time of the first failure after which nothing worked; None if it works.
        problem: why the last one failed.
        files: of the last run that delivered something: names or paths.
    """

    delivered: dict[str, str] = field(default_factory=dict)
    done_at: float | None = None
    failing_since: float | None = None
    problem: Sentence = UNSAID
    files: tuple[str, ...] = ()


FORMAT = FileFormat(ScheduledReports, magic=b"filterd reports ", most_octets=1 << 16)


def facts(path: Path) -> dict[str, Any] | None:
    """Return the state as plain data; None where no report is scheduled."""
    plain: dict[str, Any] | None = to_plain(FORMAT.read(path))
    return plain
