# SPDX-License-Identifier: Apache-2.0
"""Root writes what compiles, where the file is as it was, and leaves the outcome."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from filterd.appliance import proposal_apply
from filterd.appliance.proposal_apply import apply
from filterd.config.site_proposal import OUTCOME, PROPOSAL, SiteProposal, digest_of
from filterd.errors import (
    ConfigError,
    ConfigErrors,
    ControlError,
    FilterdError,
    StoreError,
    from_plain,
)
from filterd.i18n import say
from filterd.state_folder import StateFolder

if TYPE_CHECKING:
    from pathlib import Path

OLD = "school: {name: A}\nnetworks: {}\n"
NEW = "school: {name: B}\nnetworks: {}\n"


@pytest.fixture
def gateway(tmp_path: Path) -> tuple[Path, StateFolder]:
    for name in ("site", "state"):
        (tmp_path / name).mkdir()
    (tmp_path / "site" / "site.yaml").write_text(OLD)
    return tmp_path / "site", StateFolder(tmp_path / "state")


def applied(
    gateway: tuple[Path, StateFolder], text: str = NEW, base: str = OLD, **told: Any
) -> str:
    """Apply a proposal; return the file after it."""
    config, state = gateway

    def reload() -> dict[str, Any]:
        if "error" in told:
            raise told["error"]
        return told

    PROPOSAL.save(state.site_proposal, SiteProposal(digest_of(base), text, "web:lan"))
    try:
        apply(config, state, reload)
    finally:
        assert not state.site_proposal.exists(), "it is never tried twice"
    return (config / "site.yaml").read_text()


def problem(gateway: tuple[Path, StateFolder]) -> FilterdError:
    return from_plain(json.loads(OUTCOME.load(gateway[1].site_outcome).problem))


def test_what_compiles_is_written_and_the_outcome_names_what_waits_for_a_restart(
    gateway: tuple[Path, StateFolder],
) -> None:
    assert applied(gateway, restart_for=["listen"]) == NEW
    outcome = OUTCOME.load(gateway[1].site_outcome)
    assert (outcome.digest, outcome.problem) == (digest_of(NEW), "")
    assert outcome.restart_for == ("listen",)


def test_what_does_not_compile_is_not_written(gateway: tuple[Path, StateFolder]) -> None:
    with pytest.raises(ConfigErrors):
        applied(gateway, "school: {}\n")
    assert (gateway[0] / "site.yaml").read_text() == OLD
    assert "the key 'name' is missing" in str(problem(gateway))


@pytest.mark.parametrize(
    ("more", "told"),
    [
        ("listen: ['0.0.0.0:53']\n", "'listen' is not changed here"),
        (
            "alerts: {webhook: {url: 'https://x.example', token_file: token}}\n",
            "has a secret",
        ),
    ],
)
def test_a_daemon_that_was_taken_over_proposes_no_file_listener_or_secret(
    gateway: tuple[Path, StateFolder], more: str, told: str
) -> None:
    with pytest.raises(ConfigError, match=told):
        applied(gateway, NEW + more)
    assert (gateway[0] / "site.yaml").read_text() == OLD


def test_control_without_a_look_at_what_differs_it_would(
    gateway: tuple[Path, StateFolder], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(proposal_apply, "check_edited", lambda *_: None)
    text = NEW + "listen: ['0.0.0.0:53']\n"
    assert applied(gateway, text) == text


def test_what_the_daemon_refuses_is_taken_back(gateway: tuple[Path, StateFolder]) -> None:
    with pytest.raises(ControlError):
        applied(gateway, error=ControlError(say("an expectation fails")))
    assert (gateway[0] / "site.yaml").read_text() == OLD
    assert "an expectation fails" in str(problem(gateway))


def test_an_edit_by_hand_wins(gateway: tuple[Path, StateFolder]) -> None:
    with pytest.raises(ConfigError, match="meantime"):
        applied(gateway, base="another text")
    assert (gateway[0] / "site.yaml").read_text() == OLD


def test_a_link_in_the_place_of_the_proposal_leads_nowhere(
    gateway: tuple[Path, StateFolder], tmp_path: Path
) -> None:
    config, state = gateway
    PROPOSAL.save(tmp_path / "elsewhere", SiteProposal(digest_of(OLD), NEW, "x"))
    state.site_proposal.symlink_to(tmp_path / "elsewhere")
    with pytest.raises(StoreError):
        apply(config, state, dict)
    assert (config / "site.yaml").read_text() == OLD


def test_control_without_compiling_a_broken_site_would_stand_there(
    gateway: tuple[Path, StateFolder], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(proposal_apply, "compile_with", lambda *_: None)
    assert applied(gateway, "school: {}\n") == "school: {}\n"
