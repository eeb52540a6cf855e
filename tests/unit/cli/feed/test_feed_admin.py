# SPDX-License-Identifier: Apache-2.0
"""Decisions of an administrator on the feed work offline and print their effect."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from filterd.appliance.update.update_files import UpdateFiles
from filterd.base.errors import GuardError
from filterd.base.paths import write_atomically
from filterd.feed import guard
from filterd.feed.guard.judgement import CHECKS, Severity, found
from filterd.feed.program_standing import beside
from filterd.feed.signed.trust import TrustFolder
from filterd.lists.index import Index
from filterd.texts.i18n import say
from tests.support.commands import call
from tests.support.feed_site import FIRST, SECOND, THIRD
from tests.support.publisher import Publisher

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from filterd.feed.guard import JudgedSchool, Judgement
    from filterd.feed.versions import Candidate
    from tests.support.clock import FakeClock
    from tests.support.commands import Outcome
    from tests.support.feed_site import Follower


@pytest.fixture(autouse=True)
def _evening(evening: FakeClock) -> None:
    """It is the evening on which the small feed was published."""


def _feed(school: Follower, *words: str | Path, lang: str = "en") -> Outcome:
    places = ("--config", school.config, "--state", school.state.folder, "--lang", lang)
    return call("feed", words[0], *places, *words[1:])


@pytest.fixture
def held(school: Follower) -> Iterator[Follower]:
    """Version 2 is in force and version 3 is held."""
    school.run(FIRST)

    def judge(candidate: Candidate, _: Any, site: JudgedSchool, **__: Any) -> Judgement:
        write_atomically(site.fresh_index, school.published.index(candidate.version))
        digest = Index.open(site.fresh_index).digest.hex()
        gone = say("category {category}: all its {had} names are gone", category="porn", had=9)
        finding = found("growth", Severity.HELD, gone)
        return guard.Judgement(candidate.version, (finding,), digest, CHECKS)

    # Not by the test's own: it is undone after ``school``, and would put back what that put there.
    with pytest.MonkeyPatch.context() as judging:
        judging.setattr(guard, "judge", judge)
        with pytest.raises(GuardError):
            school.run(SECOND)
        yield school


def test_a_root_is_trusted_and_its_fingerprint_printed(school: Follower, tmp_path: Path) -> None:
    root = tmp_path / "root.json"
    root.write_bytes(school.published.root)
    done = _feed(school, "trust", root)
    assert done.code == 0
    assert "Fingerprint" in done.out
    assert "Call the publisher" in done.out
    assert json.loads(_feed(school, "trust", root, "--json").out)["fingerprint"].count(" ") == 15


@pytest.mark.usefixtures("needs_root")
def test_root_trusts_it_for_releases_of_filterd_too(school: Follower, tmp_path: Path) -> None:
    root = tmp_path / "root.json"
    root.write_bytes(school.published.root)
    _feed(school, "trust", root)
    assert UpdateFiles(beside(school.state.folder)).trust.given() == school.published.root


def test_another_root_is_trusted_only_with_the_option_replace(
    school: Follower, tmp_path: Path
) -> None:
    other = tmp_path / "root.json"
    other.write_bytes(Publisher(tmp_path / "www").root)
    done = _feed(school, "trust", other)
    assert (done.code, len(done.error_lines)) == (46, 1)
    assert "filterd feed trust ROOT.json --replace" in done.err
    assert _feed(school, "trust", other, "--replace").code == 0
    assert school.site.trust.given() == other.read_bytes()


def test_what_is_no_root_or_not_there_is_refused_in_a_line(
    school: Follower, tmp_path: Path
) -> None:
    wrong = tmp_path / "wrong.json"
    wrong.write_text("{}")
    for path, code in ((wrong, 45), (tmp_path / "none.json", 2), (tmp_path, 2)):
        for lang in ("vi", "en"):
            done = _feed(school, "trust", path, lang=lang)
            assert (done.code, len(done.error_lines), done.out) == (code, 1, "")
            assert done.err.startswith(f"filterd: {path}: ")


def test_trust_without_an_address_prints_what_is_missing(school: Follower) -> None:
    site = school.config / "site.yaml"
    site.write_text(site.read_text().replace("feed: https://feed.example/\n", ""))
    assert str(site) in _feed(school, "trust", school.site.trust.root).out.replace("\n", "")


def test_the_version_that_waits_is_approved_by_a_word(held: Follower) -> None:
    done = _feed(held, "approve", "--reason", "the list has moved")
    assert (done.code, done.err) == (0, "")
    assert done.out.startswith(f"Version {SECOND} is in force: ")
    assert held.check_consistent(SECOND) == SECOND


def test_the_version_that_waits_is_refused_by_a_word(held: Follower) -> None:
    done = _feed(held, "refuse", "--reason", "no", lang="vi")
    assert done.out.startswith(f"Phiên bản {SECOND} sẽ không bao giờ được dùng")
    assert held.site.versions.in_force().refused == (SECOND,)


@pytest.mark.parametrize("command", ["approve", "refuse"])
def test_where_no_version_waits_nothing_is_decided(school: Follower, command: str) -> None:
    school.run(FIRST)
    done = _feed(school, command)
    assert (done.code, len(done.error_lines)) == (50, 1)
    assert "no version of the feed waits for a decision" in done.err


def test_a_version_that_was_never_fetched_cannot_be_approved(held: Follower) -> None:
    done = _feed(held, "approve", str(THIRD))
    assert (done.code, done.error_lines[0].endswith("fetch it with `filterd sync`")) == (50, True)


@pytest.mark.parametrize("command", ["approve", "refuse"])
@pytest.mark.parametrize("version", ["0", "-1", "007", "x", "../7", "٣", "9" * 30])
def test_no_text_but_a_version_reaches_the_feed(held: Follower, command: str, version: str) -> None:
    done = _feed(held, command, "--", version)
    why = f"filterd: '{version}' is not a version (see `filterd feed history`)"
    assert (done.code, done.out, done.error_lines) == (2, "", [why])
    assert held.site.versions.in_force().current == FIRST


def test_going_back_shows_the_version_in_force_and_how_to_stay(school: Follower) -> None:
    school.run(FIRST)
    school.run(SECOND)
    done = _feed(school, "rollback", "--reason", "calls")
    assert done.out.startswith(
        f"Version {FIRST} is in force again; version {SECOND} is not taken again."
    )
    assert "filterd feed hold" in done.out
    assert school.check_consistent(FIRST) == FIRST
    assert school.site.history.lines()[-1].why == "calls"


def test_going_back_from_the_first_version_leads_to_what_ships(school: Follower) -> None:
    school.run(FIRST)
    done = _feed(school, "rollback")
    assert done.out.startswith("There is no earlier version: the lists that ship")
    assert school.check_consistent("0") == "0"
    assert _feed(school, "rollback").code == 50


def test_going_back_after_a_rotation_says_that_the_key_was_withdrawn(
    school: Follower, monkeypatch: pytest.MonkeyPatch
) -> None:
    school.run(FIRST)
    school.run(SECOND)
    with monkeypatch.context() as rotated:
        rotated.setattr(TrustFolder, "trusts_version", lambda _, folder: folder.name == SECOND)
        done = _feed(school, "rollback")
        assert done.out.startswith(
            "The earlier versions were signed by a key that their publisher has since withdrawn:"
            " the lists that ship"
        )
    assert school.check_consistent("0") == "0"


def test_going_back_from_damaged_versions_says_so(school: Follower) -> None:
    school.run(FIRST)
    school.run(SECOND)
    (school.site.versions.folder_of(FIRST) / "catalog.yaml").unlink()
    assert _feed(school, "rollback").out.startswith("No earlier version is undamaged:")


def test_a_way_back_that_was_interrupted_is_finished_and_not_gone_twice(school: Follower) -> None:
    for version in (FIRST, SECOND, THIRD):
        school.run(version)
    journal = school.state.feed / "activation.json"
    journal.write_text(f'{{"step": "back", "version": {THIRD}, "digest": ""}}')
    done = _feed(school, "rollback")
    assert done.out.startswith(
        f"Version {SECOND} is in force again; version {THIRD} is not taken again."
    )
    assert school.check_consistent(SECOND) == SECOND


def test_a_version_is_held_on_to_with_a_reason_until_it_is_let_go(school: Follower) -> None:
    school.run(FIRST)
    assert _feed(school, "hold").code == 2
    done = _feed(school, "hold", "--reason", "exam week")
    assert "not even urgent orders" in done.out
    assert school.site.versions.in_force().held == "exam week"
    assert _feed(school, "hold", "--off").out == "New versions are taken again.\n"
    assert school.site.versions.in_force().held is None


def test_the_lists_that_ship_are_held_on_to_by_that_name(school: Follower) -> None:
    done = _feed(school, "hold", "--reason", "exam week")
    assert done.out.startswith("The lists that ship with filterd stay")
    assert "None" not in done.out
    assert json.loads(_feed(school, "hold", "--json", "--reason", "x").out) == {"version": None}


def test_decisions_are_plain_data_for_scripts(held: Follower) -> None:
    printed = json.loads(_feed(held, "approve", "--json").out)
    assert printed.keys() == {"version", "names"}
    printed = json.loads(_feed(held, "rollback", "--json").out)
    assert printed == {"bad": int(SECOND), "version": int(FIRST)}
    assert json.loads(_feed(held, "hold", "--json", "--reason", "x").out) == {"version": int(FIRST)}


COMMANDS = ("trust", "status", "history", "approve", "refuse", "rollback", "hold")


@pytest.mark.parametrize("command", COMMANDS)
@pytest.mark.parametrize("lang", ["vi", "en"])
def test_help_names_exit_codes_on_80_columns(command: str, lang: str) -> None:
    shown = call("feed", command, "--help", "--lang", lang).out
    assert ("Exit code 0" if lang == "en" else "Mã thoát 0") in shown
    assert max(map(len, shown.splitlines())) <= 80


@pytest.mark.parametrize("version", ["0", "-1", "twelve"])
def test_what_is_no_version_is_refused_in_a_line(version: str, places: list[str]) -> None:
    done = call("feed", "approve", version, *places)
    assert (done.code, done.out) == (2, "")
    assert len(done.error_lines) == 1
