# SPDX-License-Identifier: Apache-2.0
"""What ``filterd doctor`` prints, in two languages, and its exit codes; the probes are given."""

from __future__ import annotations

import json
import logging
from typing import TYPE_CHECKING, Any

import pytest

from filterd.appliance import local_network
from filterd.appliance.doctor.examination import ABOUT, PROBES
from filterd.appliance.doctor.probe import ProbeFinding, clean, found, unseen
from filterd.base.errors import StoreError
from filterd.base.state_folder import StateFolder
from filterd.cli.box import doctor
from filterd.texts.i18n import say
from tests.support.commands import Outcome, call
from tests.support.daemon import write_site

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from pathlib import Path

    from filterd.appliance.doctor.probe import ExaminedSite

CLEAN = clean(say("a time server sets the clock"))._replace(probe="clock")
UNSEEN = unseen(say("only root may look"), say("run it again with sudo"))._replace(probe="dhcp")
FOUND = found(
    say("{n} are written to the disk a day, which wears it out", n="48 GB"),
    say("find the program that writes: sudo iotop -ao; keep the journal in memory"),
)._replace(probe="writes")


def _call(
    monkeypatch: pytest.MonkeyPatch, folder: Path, findings: list[ProbeFinding], *words: str
) -> Outcome:
    seen: list[ExaminedSite] = []

    async def examine(site: ExaminedSite, _: object) -> AsyncIterator[ProbeFinding]:
        seen.append(site)
        for finding in findings:
            yield finding

    async def no_network(**_: Any) -> Any:
        raise StoreError(say("no network"))

    monkeypatch.setattr(doctor, "examine", examine)
    monkeypatch.setattr(local_network, "look", no_network)
    config = write_site(folder / "site", port=5300)
    done = call("doctor", "--config", config, "--state", folder / "state", *words)
    (site,) = seen
    assert site.policy.school == "Trường mẫu"
    assert not site.is_running
    assert logging.root.manager.disable == logging.NOTSET  # the tests that follow log
    return done


@pytest.mark.parametrize(
    ("findings", "code"), [([CLEAN], 0), ([CLEAN, UNSEEN], 0), ([CLEAN, UNSEEN, FOUND], 1)]
)
def test_the_exit_code_shows_whether_there_is_a_fault(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, findings: list[ProbeFinding], code: int
) -> None:
    assert _call(monkeypatch, tmp_path, findings).code == code


@pytest.mark.parametrize(
    ("outcome", "code"),
    [(clean(say("it answers")), 0), (unseen(say("filterd is not running")), 1)],
)
def test_a_health_check_fails_unless_filterd_was_seen_to_answer(
    outcome: ProbeFinding, code: int, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    findings = [outcome._replace(probe="answers")]
    assert _call(monkeypatch, tmp_path, findings, "--health").code == code
    assert _call(monkeypatch, tmp_path, findings).code == 0


def test_each_finding_has_its_remedy_and_fits_the_screen(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    out = _call(monkeypatch, tmp_path, [CLEAN, UNSEEN, FOUND]).out
    assert max(map(len, out.splitlines())) <= 80
    assert "clean" in out
    assert "cannot be seen from here, because: only root may look" in out
    assert "What to do: find the program that writes: sudo iotop -ao" in out
    assert out.splitlines()[-1] == "1 found, 1 clean, 1 cannot be seen from here"


def test_in_vietnamese_all_is_vietnamese(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    out = _call(monkeypatch, tmp_path, [CLEAN, UNSEEN, FOUND], "--lang", "vi").out
    assert "clean" not in out
    assert "sudo iotop -ao" in out
    assert "because" not in out


def test_json_has_every_finding(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    done = _call(monkeypatch, tmp_path, [CLEAN, FOUND], "--json")
    assert json.loads(done.out) == [CLEAN.to_plain(), FOUND.to_plain()]


@pytest.mark.parametrize(
    ("words", "uid", "kept"),
    [((), 0, True), (("--links",), 0, True), (("--health",), 0, False), ((), 1000, False)],
)
def test_what_root_sees_of_the_links_is_kept_for_the_status(
    words: tuple[str, ...],
    uid: int,
    kept: bool,
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
) -> None:
    monkeypatch.setattr("os.geteuid", lambda: uid)
    monkeypatch.setattr(doctor, "link_passages", lambda _: {"lan1": "closed"})
    _call(monkeypatch, tmp_path, [CLEAN], *words)
    assert StateFolder(tmp_path / "state").link_rules.exists() is kept


def test_a_wrong_option_is_an_error() -> None:
    assert call("doctor", "--lang", "fr").code == 2


def test_every_probe_is_about_something() -> None:
    assert all(ABOUT[one.id] for one in PROBES)
