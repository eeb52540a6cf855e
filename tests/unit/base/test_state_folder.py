# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

from pathlib import Path

from filterd.base.paths import SYSTEM_STATE
from filterd.base.state_folder import StateFolder


def test_everything_of_a_state_folder_is_in_it(tmp_path: Path) -> None:
    state = StateFolder(tmp_path)
    files = [state.policy, state.index, state.previous_index, state.problems, state.control_socket]
    files += [state.daemon_lock, state.build_lock, state.overrides, state.exported_overrides]
    files += [state.overrides_lock, state.past_policies]
    assert {file.parent for file in files} == {tmp_path}
    assert len(set(files)) == len(files)


def test_the_systems_control_socket_is_in_run() -> None:
    assert StateFolder(SYSTEM_STATE).control_socket == Path("/run/filterd/control.sock")


def test_the_systems_certificate_is_outside_of_what_the_service_writes() -> None:
    assert StateFolder(SYSTEM_STATE).web == Path("/etc/filterd-web")
