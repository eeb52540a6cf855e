# SPDX-License-Identifier: Apache-2.0
"""Changes of now and of the past are reported as plain data."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from filterd.base.errors import ChangeError, ConfigError, StoreError
from filterd.base.state_folder import StateFolder
from filterd.daemon.manager.change_records import ONCE_IN_S, ViewRecords
from filterd.overrides.history.history_chain import TRIAL
from filterd.overrides.history.store import Store
from filterd.overrides.rights.read_access import RECORDED, View
from filterd.overrides.rights.roles import Author, Rank
from filterd.policy import policy_file as policy_store
from filterd.resolve import expectation_checks
from filterd.texts.i18n import say
from filterd.version import __version__
from filterd.wire import name as names
from tests.support.changes import an_exam, an_exception
from tests.support.clock import FakeClock
from tests.support.policies import NOW, an_index

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from tests.support.team import School, Team

ADMIN, TEACHER = Author("minh", Rank.ADMIN), Author("lan", Rank.TEACHER)
BLOCK = an_exception(target="new.example", allow=False)
HOUR = 3600.0


async def change(team: Team, kind: str, author: Author = ADMIN, /, **payload: Any) -> Any:
    return await team.manager.changes.change({"kind": kind, "reason": "bài học", **payload}, author)


def _noon(team: Team) -> float:
    """Return the school's last noon, so that a day has hours left whenever this runs."""
    now = team.setting.clock.wall()
    vietnam = now + 7 * HOUR
    return float(vietnam - vietnam % (24 * HOUR) + 12 * HOUR - 7 * HOUR)


def test_the_past_is_reported_by_what_was_set_then(school: School) -> None:
    clock = FakeClock()

    async def work(team: Team) -> None:
        records, site = team.manager.changes.records, team.manager.site
        (version,) = await records.policies()
        clock.advance(HOUR)
        await change(team, "exception", **BLOCK)
        asked: dict[str, Any] = {
            "qname": names.from_text("new.example").hex(),
            "qtype": 1,
            "address": None,
        }
        clock.advance(HOUR)
        blocked = []
        for when in (version["activated_at"], clock.wall() - 60):
            explanation = await records.explain_past(site, **asked, grade="3", when=when, shown="")
            assert explanation is not None
            assert explanation["source"] == "history"
            blocked.append(explanation["action"] != "pass")
        assert blocked == [False, True]
        with pytest.raises(ConfigError, match="the policy of seven is not known"):
            await records.explain_past(site, **asked, grade="3", when=1.0, shown="seven")

    school.serve(work, clock=clock)


def test_a_policy_is_given_to_users_that_may_not_read_its_file(school: School) -> None:
    async def work(team: Team) -> None:
        records, first = team.manager.changes.records, team.manager.site.timed.policy
        school.write("exceptions:\n  - {block: other.example, reason: vì thế}\n")
        await team.manager.reload()
        site = team.manager.site
        outcome = [
            policy_store.parse((await records.policy(site, digest)).encode(), "")
            for digest in (None, policy_store.digest(first))
        ]
        assert outcome == [site.timed.policy, first]
        school.write("alerts: {webhook: {url: 'https://hook.example/secret'}}\n")
        await team.manager.reload()
        texts = [await records.policy(team.manager.site, None, alerts=one) for one in (True, False)]
        assert ["hook.example" in text for text in texts] == [True, False]
        with pytest.raises(StoreError, match="the policy 0123 is not kept; see `filterd policy"):
            await records.policy(site, "0123")

    school.serve(work)


def test_what_is_set_is_reported_with_what_has_ended(school: School) -> None:
    clock = FakeClock()

    async def work(team: Team) -> None:
        noon = clock.wall()
        await change(team, "exception", **BLOCK)
        await change(team, "exception", **an_exception(ends_at=noon + 60))
        await change(team, "exam", **an_exam(room="of-6", starts_at=noon + 600, ends_at=noon + 900))
        clock.advance(61)
        answer = await team.manager.changes.records.overrides()
        assert answer["states"] == {"on": [1], "coming": [3], "ended": [2]}
        assert [one["target"] for one in answer["exceptions"]] == ["new.example", "game.example"]
        before = await team.manager.changes.records.overrides(noon - 1)
        assert (before["number"], before["exceptions"]) == (0, [])

    school.serve(work, clock=clock)


def test_the_history_is_reported_and_verified(
    school: School, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def work(team: Team) -> None:
        await change(team, "exception", **BLOCK)
        await team.manager.changes.note(TRIAL, {"room": "of-6"}, TEACHER)
        trial, first = await team.manager.changes.records.history(10)
        assert (first["author"], first["kind"], first["reason"]) == ("minh", "exception", "bài học")
        assert (trial["author"], trial["payload"]) == ("lan", {"room": "of-6"})
        assert len(await team.manager.changes.records.history(1)) == 1
        assert (await change(team, "undo"))["undone"] == 1  # a trial is nothing to take back
        monkeypatch.setattr("filterd.daemon.manager.change_records._MOST_OCTETS", 400)
        assert len(await team.manager.changes.records.history(10)) == 1
        assert await team.manager.changes.records.verify() == {
            "ok": True,
            "number": 3,
            "first_bad": None,
            "problem": "",
            "sentence": ["", {}],
            "set_aside": [],
            "altered": [],
        }
        status = await team.manager.status()
        counts = {"reported": 0, "mended": 0, "refused": 0, "version": 0}
        assert status["changes"] == {"problems": [], "mistakes": counts}

    school.serve(work)


def test_names_of_devices_are_left_out_for_others(school: School) -> None:
    async def work(team: Team) -> None:
        records, mac = team.manager.changes.records, "02:00:00:00:00:01"
        for name in ("Máy của An", "Máy 2", ""):
            await change(team, "device-name", mac=mac, name=name)
        await change(team, "undo")
        seen = [await records.overrides(names=False), *await records.history(9, names=False)]
        assert not {"An", "Máy"} & set(repr(seen).replace("'", " ").split())
        assert (seen[0]["device_names"], seen[2]["payload"]["name"]) == (
            [{"mac": mac, "name": "…"}],
            "",
        )
        assert "Máy của An" in repr(await records.history(9))

    school.serve(work)


def test_policies_are_kept_for_questions_about_the_past(school: School) -> None:
    async def work(team: Team) -> None:
        school.write("exceptions:\n  - {block: other.example, reason: vì thế}\n")
        await team.manager.reload()
        kept = team.manager.changes.records._versions.all()
        assert kept[0].digest == (await team.manager.status())["policy"]
        assert len(kept) == 2

    school.serve(work)


def test_a_report_keeps_what_the_lists_contain_and_is_mended_by_other_lists(
    school: School, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whatever the reporting page claims of the lists."""
    monkeypatch.setattr(
        expectation_checks, "check", lambda *_, **__: ()
    )  # few names are listed here

    async def lists(team: Team, *listed: str) -> str:
        """Put lists in force in which a third party names these; return their version."""
        school.state.index.unlink()
        an_index(school.state.folder, {"copied": ("malware", "domains", False, list(listed))})
        (school.state.folder / "index").rename(school.state.index)
        await team.manager.reload()
        return team.manager.site.index.digest.hex()[:12]

    async def work(team: Team) -> None:
        first = await lists(team, "a.example", "uni.example")
        forged = {"seen_in": "v0", "entries": [], "filterd": "9"}
        await change(team, "report-mistake", name="uni.example", **forged)
        (row,) = await team.manager.changes.records.mistakes()
        assert (row["mended"], row["seen_in"], row["filterd"]) == (False, first, __version__)
        assert row["entries"] == row["listed"]
        (entry,) = row["entries"]
        assert (entry["list"], entry["category"], entry["line"]) == ("copied", "malware", 2)
        second, _ = await lists(team, "a.example"), await lists(team, "b.example")
        (row,) = await team.manager.changes.records.mistakes()
        assert (row["mended"], row["mended_in"], row["listed"]) == (True, second, [])
        counts = (await team.manager.changes.status())["mistakes"]
        assert counts == {"reported": 1, "mended": 1, "refused": 0, "version": 0}

    school.serve(work)


LAN, MINH = (Author(one, Rank.ADMIN) for one in ("lan", "minh"))
TODAY = {"days": ["2026-11-28"], "class": ""}


class Looks:
    def __init__(self, folder: Path) -> None:
        self.clock = FakeClock(wall=NOW)
        self.state = StateFolder(folder)
        self.store = Store(self.state, self.clock)
        self.records = ViewRecords(self.clock, self._record)

    def _record(self, kind: str, payload: Mapping[str, Any], author: Author, reason: str) -> None:
        self.store.change(kind, payload, author=author.name, reason=reason)

    def rows(self) -> list[tuple[str, Any]]:
        return [(row.author, json.loads(row.payload)) for row in reversed(self.store.rows())]


@pytest.fixture
def looks(tmp_path: Path) -> Looks:
    return Looks(tmp_path)


def test_a_look_is_recorded_with_author_view_days_and_class_and_no_name(looks: Looks) -> None:
    about = {"days": ["2026-11-28", "2026-11-27"], "class": "6A", "name": "a.example"}
    looks.records.note(View.ROWS, LAN, about)
    days = ["2026-11-27", "2026-11-28"]
    assert looks.rows() == [("lan", {"view": "rows", "days": days, "class_id": "6A"})]
    assert looks.store.verify().is_sound


def test_a_look_that_is_repeated_within_ten_minutes_is_one_row(looks: Looks) -> None:
    for _ in range(50):
        looks.records.note(View.NAMES, LAN, TODAY)
        looks.clock.advance(ONCE_IN_S / 100)
    looks.records.note(View.NAMES, MINH, TODAY)
    looks.records.note(View.NAMES, LAN, TODAY | {"days": ["2026-11-27"]})
    assert len(looks.rows()) == 3
    looks.clock.advance(ONCE_IN_S)
    looks.records.note(View.NAMES, LAN, TODAY)
    assert len(looks.rows()) == 4


def test_totals_are_looked_at_without_a_record(looks: Looks) -> None:
    for view in View:
        looks.records.note(view, LAN, TODAY)
    assert {text["view"] for _, text in looks.rows()} == {one.value for one in RECORDED}


def test_an_altered_look_breaks_the_chain(looks: Looks) -> None:
    looks.records.note(View.ROWS, LAN, TODAY)
    looks.records.note(View.ROWS, MINH, TODAY)
    path = looks.state.overrides
    path.write_bytes(path.read_bytes().replace(b"minh", b"hung"))
    assert looks.store.verify().first_bad == 2


def test_what_cannot_be_recorded_is_an_error_and_is_tried_again(looks: Looks) -> None:
    with pytest.raises(ChangeError):
        looks.records.note(View.ROWS, LAN, {"days": ["6A"]})

    def full(*_: Any) -> None:
        raise StoreError(say("full"))

    for _ in range(2):
        with pytest.raises(StoreError):
            ViewRecords(looks.clock, full).note(View.ROWS, LAN, TODAY)
