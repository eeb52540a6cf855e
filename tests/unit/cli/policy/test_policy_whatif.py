# SPDX-License-Identifier: Apache-2.0
"""Arguments of the command and its copies; what it shows is tested end to end."""

from __future__ import annotations

import io
import os
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from rich.console import Console

from filterd import control
from filterd.base.errors import ConfigError, ControlError
from filterd.base.state_folder import StateFolder
from filterd.cli.context import Context
from filterd.cli.policy import policy_whatif
from filterd.texts.i18n import Texts, say
from tests.support.commands import call
from tests.support.day_lookups import Looked, write_day

if TYPE_CHECKING:
    from collections.abc import Callable

SAME = {
    "judged": "rows", "days": [], "lookups": 0, "changed": {}, "names": {"closes": 0, "opens": 0},
    "rows": [], "groups": [], "tiers": [], "more": 0, "confidential": 0, "skipped": [],
    "levels": {"primary": "full"}, "least_devices": 5,
}  # fmt: skip


@pytest.mark.parametrize(
    ("words", "why"),
    [
        ((), "one of these is tried at a time"),
        (("--source", "a", "--feed", "1"), "one of these is tried at a time"),
        (("--list", "x"), "--category is missing"),
        (("--policy", "/nonexistent/site"), "cannot be read"),
    ],
)
def test_wrong_arguments_are_refused_in_a_line(
    tmp_path: Path, words: tuple[str, ...], why: str
) -> None:
    outcome = call("--lang", "en", "--state", tmp_path, "policy", "whatif", *words)
    assert (outcome.code, len(outcome.error_lines)) == (2, 1)
    assert why in outcome.err
    assert not [*tmp_path.glob("what-if/*")]


def test_files_are_copied_for_the_daemon_but_no_secrets(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    site, state = tmp_path / "other", tmp_path / "state"
    (site / "secrets").mkdir(parents=True)
    (site / "secrets" / "mail").write_text("password")
    (site / "lists").mkdir()
    for one in ("site.yaml", "lists/mine.txt"):
        (site / one).write_text("x")
    found = list[str]()

    def asked(_: Path, command: str, **given: Any) -> dict[str, Any]:
        assert command == "what-if"
        folder = state / "what-if" / given["site"]
        found.extend(str(one.relative_to(folder)) for one in folder.rglob("*") if one.is_file())
        return SAME

    monkeypatch.setattr(control, "ask", asked)
    assert call("--state", state, "policy", "whatif", "--policy", site).code == 0
    assert sorted(found) == ["lists/mine.txt", "site.yaml"]
    assert not [*(state / "what-if").iterdir()]


def test_of_a_folder_neither_links_nor_more_than_a_bound_are_copied(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    site, copy = tmp_path / "other", tmp_path / "copy"
    site.mkdir()
    copy.mkdir()
    (tmp_path / "of-root").write_text("secret")
    (site / "site.yaml").write_text("x")
    (site / "link.yaml").symlink_to(tmp_path / "of-root")
    (site / "folder").symlink_to(tmp_path)
    policy_whatif._copy(site, copy)
    assert [one.name for one in copy.rglob("*")] == ["site.yaml"]
    monkeypatch.setattr(policy_whatif, "_MOST_OCTETS", 10)
    (site / "large.yaml").write_text("x" * 10)
    with pytest.raises(ConfigError, match="too large"):
        policy_whatif._copy(site, copy)
    os.mkfifo(site / "pipe")
    with pytest.raises(ConfigError):
        policy_whatif._copy(site / "pipe", copy)


@pytest.mark.parametrize("path", ["/proc/self/pagemap", "/dev/zero", "/proc/kmsg"])
def test_a_file_without_an_end_is_refused(
    tmp_path: Path, path: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(policy_whatif, "_MOST_OCTETS", 10)
    with pytest.raises(ConfigError):
        policy_whatif._copy(Path(path), tmp_path)


def test_a_trial_that_is_at_work_is_asked_for_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    answers = iter([{"at_work": True}, {**SAME, "changed": {"closes": 3}}])
    monkeypatch.setattr(control, "ask", lambda *_, **__: next(answers))
    assert call("--state", tmp_path, "policy", "whatif", "--json", "--source", "a").code == 1


@pytest.fixture
def shown_before(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[..., str]:
    """Return what is printed before a decision, where a daemon runs, by what it answers."""

    def shown(answer: Callable[[], Any], *, runs: bool = True, named: bool = True) -> str:
        monkeypatch.setattr(control, "is_running", lambda _: runs)
        monkeypatch.setattr(control, "ask", lambda *_, **__: answer())
        console = Console(file=io.StringIO(), width=100)
        here = Context(tmp_path, StateFolder(tmp_path), Texts("en"), console, console)
        if named:
            write_day(here.state.log_days, "2025-11-30", [Looked(5, "a.example")])
        policy_whatif.print_before(here, source="a")
        assert isinstance(console.file, io.StringIO)
        return console.file.getvalue()

    return shown


def test_before_a_decision_it_is_shown_where_names_are_recorded(
    shown_before: Callable[..., str],
) -> None:
    assert shown_before(lambda: SAME, named=False) == ""
    assert "Distinct names: 0 names" in shown_before(lambda: SAME)


def test_a_decision_is_made_without_it_and_a_line_has_the_reason(
    shown_before: Callable[..., str],
) -> None:
    def refuses() -> None:
        raise ControlError(say("another trial is at work; try again when it has ended"))

    assert len(text := shown_before(refuses).splitlines()) == 1
    assert "not known: another trial is at work" in text[0]
    assert shown_before(refuses, runs=False) == ""
