# SPDX-License-Identifier: Apache-2.0
"""What a reload did is printed; an edit that is not taken leaves the file."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from filterd import control
from filterd.base.errors import ConfigError, ConfigErrors, to_plain
from filterd.base.state_folder import StateFolder
from filterd.config.site_proposal import PROPOSAL, SiteProposal, digest_of
from filterd.texts.i18n import say
from tests.support.commands import call

if TYPE_CHECKING:
    from pathlib import Path

    import pytest

RELOADED: dict[str, Any] = {
    "policy": "0123456789ab",
    "names": 1_000_000,
    "lists": 25,
    "restart_for": [],
    "doubts": [],
}
DOUBT = to_plain(ConfigError(say("expected: it passes"), path="own.yaml", line=7))


def _answer(monkeypatch: pytest.MonkeyPatch, answer: Any) -> list[tuple[Path, str]]:
    asked = []

    def ask(path: Path, command: str) -> Any:
        asked.append((path, command))
        if isinstance(answer, Exception):
            raise answer
        return answer

    monkeypatch.setattr(control, "ask", ask)
    return asked


def test_unmet_expectations_are_reported(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    _answer(monkeypatch, {**RELOADED, "doubts": [DOUBT]})
    done = call("reload", "--lang", "en", "--state", tmp_path)
    assert (done.code, done.error_lines) == (0, ["warning: own.yaml:7: expected: it passes"])


def test_a_reload_is_reported(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    asked = _answer(monkeypatch, RELOADED)
    done = call("reload", "--lang", "en", "--state", tmp_path)
    assert asked == [(tmp_path / "control.sock", "reload")]
    assert done.out.replace("\n", " ") == (
        "Reloaded: policy 0123456789ab, 1\u202f000\u202f000 names on 25 lists. "
    )


def test_a_reload_names_what_needs_a_restart(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    _answer(monkeypatch, {**RELOADED, "restart_for": ["listen"]})
    done = call("reload", "--lang", "en", "--state", tmp_path)
    assert done.out.endswith("Restart filterd to change: listen\n")
    printed = json.loads(call("reload", "--json", "--state", tmp_path).out)
    assert printed["restart_for"] == ["listen"]


def test_a_refused_reload_prints_each_problem(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    errors = [ConfigError(say("bad"), path="site.yaml", line=line, column=1) for line in (2, 5)]
    _answer(monkeypatch, ConfigErrors(errors))
    done = call("reload", "--state", tmp_path)
    assert done == (2, "", "filterd: site.yaml:2:1: bad\nfilterd: site.yaml:5:1: bad\n")


SITE = "school: {name: A}\nlanguage: en\nnetworks: {}\n"


def test_without_a_daemon_that_takes_it_the_file_stays(tmp_path: Path) -> None:
    (tmp_path / "state").mkdir()
    (tmp_path / "site.yaml").write_text(SITE)
    places = ("--config", tmp_path, "--state", tmp_path / "state")
    done = call("site", "apply", *places)
    assert (done.code, len(done.err.splitlines())) == (2, 1)
    proposal = SiteProposal(digest_of(SITE), SITE.replace("A", "B"), "web:lan")
    PROPOSAL.save(StateFolder(tmp_path / "state").site_proposal, proposal)
    done = call("site", "apply", *places)
    assert (done.code, len(done.err.splitlines())) == (2, 1)
    assert (tmp_path / "site.yaml").read_text() == SITE
