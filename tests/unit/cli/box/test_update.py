# SPDX-License-Identifier: Apache-2.0
"""``filterd update`` and ``filterd release``."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

from filterd.appliance.releases import Releases
from filterd.base.errors import ConfigError
from filterd.cli.box import update
from filterd.feed.program_standing import (
    EndedUpdate,
    ProgramStanding,
    ProgramStandingFile,
    UpdateEnding,
    beside,
)
from filterd.texts.i18n import say
from tests.support.commands import SAMPLE, call
from tests.support.daemon import build_lists, write_site

if TYPE_CHECKING:
    from pathlib import Path

    from tests.support.commands import Outcome


BACK = EndedUpdate(
    1_800_000_000.0, "1.1.0", "1.0.0", UpdateEnding.TAKEN_BACK, say("port 53 does not answer")
)


@pytest.fixture
def as_root(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Let commands take themselves for root's, on a machine without releases."""
    monkeypatch.setattr("os.geteuid", lambda: 0)
    there = Releases(tmp_path / "machine")
    monkeypatch.setattr(Releases, "of_this_machine", lambda: there)


def _update(state: Path, *words: str, lang: str = "en") -> Outcome:
    return call("update", "--config", SAMPLE, "--state", state, "--lang", lang, *words)


def _stands(state: Path, standing: ProgramStanding) -> None:
    ProgramStandingFile(beside(state)).write(standing)


def test_it_shows_what_waits_why_and_how_the_last_one_ended(tmp_path: Path) -> None:
    state = tmp_path / "state"
    why = say("it is taken in the night")
    _stands(state, ProgramStanding(1.0, "1.2.0", "window", why, 1_800_003_600.0, endings=(BACK,)))
    done = _update(state)
    assert done.code == 0
    for text in ("1.2.0", "it is taken in the night", "taken back (port 53 does not answer)"):
        assert text in done.out
    assert "1.1.0" in _update(state, lang="vi").out
    assert json.loads(_update(state, "--json").out)["offered"] == "1.2.0"


@pytest.mark.usefixtures("as_root")
def test_a_hold_is_set_shown_and_ended(tmp_path: Path) -> None:
    state = tmp_path / "state"
    assert "sudo filterd update --release" in _update(state, "--hold").out
    assert "until" in _update(state, "--hold", "--until", "2099-01-01").out
    assert "Held" not in _update(state, "--release").out


@pytest.mark.usefixtures("as_root")
@pytest.mark.parametrize(
    ("words", "text"),
    [
        (("--now", "--hold"), "only one of --check, --now, --hold"),
        (("--from", "/media"), "--from needs --now"),
        (("--until", "tomorrow"), "--until needs --hold"),
        (("--hold", "--until", "2001-01-01"), "2001"),
        (("--now", "--from", "/nowhere"), "there is no folder /nowhere"),
        (("--check",), "systemd does not run here"),
        (("--rollback",), "there is no release before"),
    ],
)
def test_what_cannot_be_done_is_one_sentence(
    tmp_path: Path, words: tuple[str, ...], text: str
) -> None:
    done = _update(tmp_path / "state", *words)
    assert done.code == 2
    assert len(done.error_lines) == 1
    assert text in done.err


def test_the_self_test_reports_what_was_blocked(tmp_path: Path) -> None:
    config = write_site(tmp_path / "site", port=53)
    state = build_lists(config, tmp_path / "state").folder
    done = call("release", "test", "--config", config, "--state", state)
    assert done.code == 0, done.err
    assert "blocks a listed name of each of" in done.out


def test_a_site_that_is_not_accepted_is_an_error_with_its_place(tmp_path: Path) -> None:
    config = write_site(tmp_path / "site", port=53, more="nonsense: 1\n")
    state = build_lists(write_site(tmp_path / "good", port=53), tmp_path / "state").folder
    done = call("release", "test", "--config", config, "--state", state)
    assert done.code == 2
    assert "site.yaml:" in done.err
    assert "Traceback" not in done.err


def test_only_root_changes_the_release_in_service(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("os.geteuid", lambda: 1000)
    for command in (update.activate, update.rollback, update.restore):
        with pytest.raises(ConfigError, match="only root"):
            command(None)
