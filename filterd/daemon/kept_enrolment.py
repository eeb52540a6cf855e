# SPDX-License-Identifier: Apache-2.0
"""Keep the enrolment of this gateway, for its records and the status.

``filterd fleet enrol`` writes it, once it is verified (``appliance.enrolment``). All who get an
inspection record verify it again.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from filterd.state_file import FileFormat

if TYPE_CHECKING:
    from pathlib import Path


@dataclass(frozen=True, slots=True)
class KeptEnrolment:
    """An enrolment.

    Attributes:
        begins, ends: Unix times between which it holds.
        device: id of the gateway's key.
        envelope: the signed file, as the province handed it out.
    """

    begins: int
    ends: int
    device: str
    envelope: str


FORMAT = FileFormat(KeptEnrolment, magic=b"filterd enrolment ", most_octets=1 << 17)


def facts(path: Path) -> dict[str, Any] | None:
    """Return begin, end and device as plain data; None where it is not enrolled."""
    kept = FORMAT.read(path)
    if kept is None:
        return None
    return {"begins": kept.begins, "ends": kept.ends, "device": kept.device}
