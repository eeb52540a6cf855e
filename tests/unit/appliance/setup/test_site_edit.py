# SPDX-License-Identifier: Apache-2.0
"""An edit changes its own keys and lines only, and the result is compiled before it counts."""

from __future__ import annotations

import difflib
import json
from typing import TYPE_CHECKING, Any

import pytest

from filterd.appliance.setup import site_edit
from filterd.appliance.setup.site_edit import (
    EDITABLE,
    answer,
    apply,
    change_of,
    check_secrets,
    edits_of,
)
from filterd.base import bounded_child
from filterd.base.errors import (
    ConfigError,
    ConfigErrors,
    ControlError,
    FilterdError,
    StoreError,
    from_plain,
)
from filterd.base.paths import shipped
from filterd.base.state_folder import StateFolder
from filterd.config.site_proposal import OUTCOME, PROPOSAL, SiteProposal, digest_of
from filterd.config.site_schema import SiteFile
from filterd.operations.reload import Reloaded
from filterd.texts.i18n import say

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = pytest.mark.usefixtures("warm_children")

SITE = """\
# Trường của chúng tôi
school:   {name: "Trường A"}   # tên cũ
classes:  {6A: {grade: 6}}
networks:
    lab:   # phòng máy
        cidrs: [10.0.7.0/24]
        timetable:
            t2: {tiet-1: 6A,  tiet-2: 6}   # thứ hai
            t3: {tiet-1: {class: 6A, teacher: lan}}
lessons:
  tiet-1: 07:00-07:45   # chuông
  tiet-2: 07:50-08:35
local_zones:
  - name: truong.home.arpa
    records:
      # máy in
      - may-in A 10.0.0.20
      - may-chu A 10.0.0.5    # kho
"""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "site").mkdir()
    (tmp_path / "site" / "site.yaml").write_text(SITE)
    return tmp_path


def edit(folder: Path, *edits: tuple[str, Any]) -> dict[str, Any]:
    plain = [{"path": path.split("/"), "value": value} for path, value in edits]
    return answer(
        {
            "config": str(folder / "site"),
            "edits": plain,
            "language": "vi",
            "policy": str(folder / "policy"),
            "blocklists": str(shipped("blocklists")),
        }
    )


def changed(edited: dict[str, Any]) -> list[str]:
    lines = difflib.ndiff(SITE.splitlines(), edited["new"].splitlines())
    return [" ".join(line.split()) for line in lines if line[0] in "+-"]


def test_a_lesson_of_a_timetable_changes_its_own_line(folder: Path) -> None:
    edited = edit(folder, ("networks/lab/timetable/t2", {"tiet-1": "6A", "tiet-2": "6A"}))
    assert edited["problem"] is None
    assert edited["keys"] == ["networks.lab"]
    assert changed(edited) == [
        "- t2: {tiet-1: 6A, tiet-2: 6} # thứ hai",
        "+ t2: {tiet-1: 6A, tiet-2: 6A} # thứ hai",
    ]
    assert (folder / "policy").exists()
    assert (folder / "site" / "site.yaml").read_text() == SITE, "the child writes no site"


def test_a_mapping_is_replaced_as_a_whole(folder: Path) -> None:
    edited = edit(folder, ("networks/lab/timetable", {"t3": {"tiet-1": "6A"}}))
    assert edited["problem"] is None
    lines = changed(edited)
    assert "- t2: {tiet-1: 6A, tiet-2: 6} # thứ hai" in lines
    assert "- t3: {tiet-1: {class: 6A, teacher: lan}}" in lines
    assert "+ t3: {tiet-1: 6A}" in lines


def test_items_of_a_list_that_stay_keep_their_lines_and_comments(folder: Path) -> None:
    zone = {"name": "truong.home.arpa", "records": ["may-in A 10.0.0.21", "may-chu A 10.0.0.5"]}
    edited = edit(folder, ("local_zones", [zone]))
    assert changed(edited) == ["- - may-in A 10.0.0.20", "+ - may-in A 10.0.0.21"]
    more = {**zone, "records": ["may-in A 10.0.0.20", "may-chu A 10.0.0.5", "tv A 10.0.0.6"]}
    edited = edit(folder, ("local_zones", [more, {"name": "b.home.arpa", "records": []}]))
    assert [one for one in changed(edited) if one[0] == "-"] == []
    assert "+ - tv A 10.0.0.6" in changed(edited)


def test_what_is_wrong_is_reported_with_its_place_in_the_new_text(folder: Path) -> None:
    edited = edit(folder, ("networks/lab/timetable/t2/tiet-2", "9Z"))
    problem = from_plain(edited["problem"])
    assert isinstance(problem, ConfigErrors)
    (error,) = problem.errors
    assert (error.path, error.line) == (str(folder / "site" / "site.yaml"), 8)
    assert "9Z" in str(error)


def test_without_a_difference_the_text_is_the_very_same(folder: Path) -> None:
    edited = edit(folder, ("lessons", {"tiet-1": "07:00-07:45", "tiet-2": "07:50-08:35"}))
    assert edited["new"] == edited["text"] == SITE
    assert edited["keys"] == []


@pytest.mark.parametrize(
    "plain",
    [
        None,
        [],
        [{"path": ["networks"]}],
        [{"path": [], "value": 1}],
        [{"path": ["networks", 1], "value": 1}],
        [{"path": ["networks", *"abcdefg"], "value": 1}],
        [{"path": ["listen"], "value": ["0.0.0.0:53"]}],
        [{"path": ["lists"], "value": []}],
        [{"path": ["networks"], "value": {}}] * 201,
    ],
)
def test_what_is_no_edit_is_refused(plain: Any) -> None:
    with pytest.raises(ConfigError):
        edits_of(plain)


def test_each_editable_key_is_one_of_the_site() -> None:
    assert set(SiteFile.model_fields) >= EDITABLE


def test_an_equal_number_of_another_type_is_a_change() -> None:
    edits = edits_of([{"path": ["unknown"], "value": 6}])
    assert change_of({"unknown": "6"}, edits) == {"unknown": 6}
    assert change_of({"unknown": 6}, edits) == {}


MAIL = {"server": "mail.edu.vn", "user": "it", "password_file": "mail", "to": ["a@b.vn"]}


def test_a_secret_is_never_sent_to_another_server() -> None:
    before = {"alerts": {"mail": MAIL}}
    for other in ({"server": "evil.example"}, {"password_file": "other"}, {"user": "x"}):
        with pytest.raises(ConfigError, match="has a secret"):
            check_secrets(before, {"alerts": {"mail": MAIL | other}})
    check_secrets(before, {"alerts": {"mail": MAIL | {"to": ["c@b.vn"]}}})
    check_secrets(before, {})


def test_control_without_the_check_the_password_would_go_there(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    mail = MAIL | {"from": "it@truong.edu.vn"}
    text = SITE + f"alerts: {json.dumps({'mail': mail})}\n"
    (folder / "site" / "site.yaml").write_text(text)
    evil = ("alerts/mail/server", "evil.example")
    with pytest.raises(ConfigError, match="has a secret"):
        edit(folder, evil)
    monkeypatch.setattr(site_edit, "check_secrets", lambda _, __: None)
    assert "evil.example" in edit(folder, evil)["new"]


def test_it_answers_as_a_process_of_its_own(folder: Path) -> None:
    request, failed = {"config": str(folder / "site")}, say("it failed: {why}")
    edited = json.loads(
        bounded_child.ask(
            "filterd.appliance.setup.site_edit",
            request,
            failed,
            failed,
            limit_s=60,
            most_octets=1 << 20,
        )
    )
    assert (edited["text"], edited["imported"]) == (SITE, [])
    assert edited["data"]["networks"]["lab"]["timetable"]["t2"] == {"tiet-1": "6A", "tiet-2": 6}


OLD = "school: {name: A}\nnetworks: {}\n"
NEW = "school: {name: B}\nnetworks: {}\n"


@pytest.fixture
def gateway(tmp_path: Path) -> tuple[Path, StateFolder]:
    for name in ("site", "state"):
        (tmp_path / name).mkdir()
    (tmp_path / "site" / "site.yaml").write_text(OLD)
    return tmp_path / "site", StateFolder(tmp_path / "state")


def applied(
    gateway: tuple[Path, StateFolder], text: str = NEW, base: str = OLD, **edited: Any
) -> str:
    """Apply a proposal; return the file after it."""
    config, state = gateway

    def reload() -> Reloaded:
        if "error" in edited:
            raise edited["error"]
        return Reloaded("0123456789ab", 5, 2, **edited)

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
    assert applied(gateway, restart_for=("listen",)) == NEW
    outcome = OUTCOME.load(gateway[1].site_outcome)
    assert (outcome.digest, outcome.problem) == (digest_of(NEW), "")
    assert outcome.restart_for == ("listen",)


def test_what_does_not_compile_is_not_written(gateway: tuple[Path, StateFolder]) -> None:
    with pytest.raises(ConfigErrors):
        applied(gateway, "school: {}\n")
    assert (gateway[0] / "site.yaml").read_text() == OLD
    assert "the key 'name' is missing" in str(problem(gateway))


@pytest.mark.parametrize(
    ("more", "message"),
    [
        ("listen: ['0.0.0.0:53']\n", "'listen' is not changed here"),
        (
            "alerts: {webhook: {url: 'https://x.example', token_file: token}}\n",
            "has a secret",
        ),
    ],
)
def test_a_daemon_that_was_taken_over_proposes_no_file_listener_or_secret(
    gateway: tuple[Path, StateFolder], more: str, message: str
) -> None:
    with pytest.raises(ConfigError, match=message):
        applied(gateway, NEW + more)
    assert (gateway[0] / "site.yaml").read_text() == OLD


def test_control_without_a_look_at_what_differs_it_would(
    gateway: tuple[Path, StateFolder], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(site_edit, "check_edited", lambda *_: None)
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
        apply(config, state, lambda: Reloaded("", 0, 0))
    assert (config / "site.yaml").read_text() == OLD


def test_control_without_compiling_a_broken_site_would_stand_there(
    gateway: tuple[Path, StateFolder], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(site_edit, "compile_with", lambda *_: None)
    assert applied(gateway, "school: {}\n") == "school: {}\n"
