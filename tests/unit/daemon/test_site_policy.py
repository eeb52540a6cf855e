# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from filterd.daemon.site_policy import install_policy
from filterd.errors import StoreError

if TYPE_CHECKING:
    from pathlib import Path


def test_a_candidate_takes_the_place_of_the_policy_in_force(tmp_path: Path) -> None:
    candidate, in_force = tmp_path / "candidate", tmp_path / "policy"
    candidate.write_bytes(b"new")
    in_force.write_bytes(b"old")
    install_policy(candidate, in_force)
    assert in_force.read_bytes() == b"new"
    assert not candidate.exists()
    install_policy(in_force, in_force)
    assert in_force.read_bytes() == b"new"


def test_a_disk_that_refuses_is_told_with_the_place(tmp_path: Path) -> None:
    with pytest.raises(StoreError, match="candidate: cannot be installed"):
        install_policy(tmp_path / "candidate", tmp_path / "policy")
