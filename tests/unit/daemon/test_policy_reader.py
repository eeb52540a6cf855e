# SPDX-License-Identifier: Apache-2.0
"""A process beside the daemon reads the policy in force, else compiles the site's files."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from filterd import control
from filterd.base.errors import ControlError
from filterd.base.state_folder import StateFolder
from filterd.daemon import policy_reader
from filterd.policy import policy_file
from filterd.texts.i18n import say
from tests.support.daemon import write_site

if TYPE_CHECKING:
    from pathlib import Path

    from filterd.policy.model import Policy


@pytest.fixture
def state(tmp_path: Path) -> StateFolder:
    (tmp_path / "state").mkdir()
    return StateFolder(tmp_path / "state")


@pytest.fixture
def config(tmp_path: Path) -> Path:
    return write_site(tmp_path / "site", port=5353)


@pytest.fixture
def in_force(config: Path, state: StateFolder) -> Policy:
    """A policy in force that is not that of the files."""
    return replace(policy_reader.of_files(config, state), school="B")


def test_without_a_daemon_the_files_are_compiled(config: Path, state: StateFolder) -> None:
    assert policy_reader.in_force(config, state) == policy_reader.of_files(config, state)


def test_a_daemon_has_the_policy_in_force(
    config: Path, state: StateFolder, in_force: Policy, monkeypatch: pytest.MonkeyPatch
) -> None:
    state.control_socket.touch()
    text = policy_file.dump(in_force).decode()
    monkeypatch.setattr(control, "ask", lambda _, command: {"policy": text}[command])
    assert policy_reader.in_force(config, state) == in_force  # its file is of another user
    monkeypatch.setattr(control, "ask", None)
    policy_file.save(state.policy, in_force)
    assert policy_reader.in_force(config, state) == in_force
    assert policy_reader.of_readable_files(config, state).school != "B"
    monkeypatch.setattr("filterd.daemon.policy_reader.os.access", lambda *_: False)
    assert policy_reader.of_readable_files(config, state).school == "B"


@pytest.mark.parametrize("is_running", [True, False])
def test_a_daemon_that_refuses_is_an_error_and_one_that_is_gone_is_none(
    config: Path, state: StateFolder, monkeypatch: pytest.MonkeyPatch, *, is_running: bool
) -> None:
    def refuse(*_: object) -> None:
        raise ControlError(say("not now"))

    state.control_socket.touch()
    monkeypatch.setattr(control, "ask", refuse)
    monkeypatch.setattr(control, "is_running", lambda _: is_running)
    if is_running:
        with pytest.raises(ControlError, match="not now"):
            policy_reader.in_force(config, state)
    else:
        assert policy_reader.in_force(config, state) == policy_reader.of_files(config, state)
