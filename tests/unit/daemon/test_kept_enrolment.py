# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

from typing import TYPE_CHECKING

from filterd.daemon.kept_enrolment import FORMAT, KeptEnrolment, facts

if TYPE_CHECKING:
    from pathlib import Path


def test_the_status_has_begin_and_end_and_not_the_envelope(tmp_path: Path) -> None:
    path = tmp_path / "enrolment.filterd"
    assert facts(path) is None
    FORMAT.save(path, KeptEnrolment(1, 2, "ab", "{}"))
    assert facts(path) == {"begins": 1, "ends": 2, "device": "ab"}
    path.write_bytes(b"damaged")
    assert facts(path) is None
