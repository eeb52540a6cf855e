# SPDX-License-Identifier: Apache-2.0
"""Define the files that units beside the daemon leave for its status.

The nightly backup and the scheduled reports leave how they went last, ``filterd doctor`` of root
what the firewall does on each link, ``filterd fleet enrol`` the enrolment that it has verified
(``appliance.enrolment``). Each receiver of an inspection record verifies the enrolment again.
"""

from __future__ import annotations

from dataclasses import field
from typing import TYPE_CHECKING, Any

from filterd.base.state_file import FileFormat, to_plain
from filterd.base.value_class import frozen
from filterd.texts.i18n import UNSAID, Sentence

if TYPE_CHECKING:
    from filterd.base.state_folder import StateFolder


@frozen
class NightlyBackup:
    """The state of the nightly backups.

    Attributes:
        done_at: Unix time of the last one that worked; None for none yet.
        failing_since: Unix time of the first failure after it; None if it works.
        problem: why the last one failed.
        file: the path of the last one that worked.
        octets: of that file.
    """

    done_at: float | None = None
    failing_since: float | None = None
    problem: Sentence = UNSAID
    file: str = ""
    octets: int = 0


@frozen
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


@frozen
class KeptEnrolment:
    """An enrolment of this gateway.

    Attributes:
        begins, ends: Unix times between which it holds.
        device: id of the gateway's key.
        envelope: the signed file, as the province handed it out.
    """

    begins: int
    ends: int
    device: str
    envelope: str


BACKUP = FileFormat(NightlyBackup, magic=b"filterd nightly-backup ", most_octets=1 << 16)
REPORTS = FileFormat(ScheduledReports, magic=b"filterd reports ", most_octets=1 << 16)


@frozen
class LinkRules:
    """What root has read of the firewall (``appliance.doctor.firewall_rules``).

    Attributes:
        read_at: Unix time.
        passages: by name of each link of pupils, whether other resolvers are ``open``,
            ``closed`` or ``unsure``; none where this machine is not the gateway.
    """

    read_at: float
    passages: dict[str, str] = field(default_factory=dict)


LINKS = FileFormat(LinkRules, magic=b"filterd link-rules ", most_octets=1 << 16)
ENROLMENT = FileFormat(KeptEnrolment, magic=b"filterd enrolment ", most_octets=1 << 17)


def facts(state: StateFolder) -> dict[str, dict[str, Any] | None]:
    """Return ``backup``, ``reports``, ``links`` and ``enrolment`` as plain data.

    None for each file that is missing or damaged. An enrolment is shown without its envelope.
    """
    enrolment = to_plain(ENROLMENT.read(state.enrolment))
    return {
        "backup": to_plain(BACKUP.read(state.backup_outcome)),
        "reports": to_plain(REPORTS.read(state.report_outcome)),
        "links": to_plain(LINKS.read(state.link_rules)),
        "enrolment": enrolment and {key: enrolment[key] for key in ("begins", "ends", "device")},
    }
