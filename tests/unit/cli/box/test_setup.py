# SPDX-License-Identifier: Apache-2.0
"""``filterd setup``: by questions in a terminal, or from a file."""

from __future__ import annotations

import builtins
import io
import os
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from rich.console import Console

from filterd.appliance.backup.backup_parts import BackupLock
from filterd.appliance.setup import machine_survey
from filterd.appliance.setup.interview import KEPT, Interview, Machine, SchoolLink
from filterd.appliance.setup.questions import pending
from filterd.base.certificate_facts import facts_in
from filterd.base.errors import StoreError
from filterd.base.state_folder import StateFolder
from filterd.cli.box import setup, setup_finish
from filterd.cli.box.setup import Dialogue
from filterd.cli.context import Context
from filterd.cli.offline_site import load_site_offline
from filterd.feed.signed.fetchers import FolderFetcher
from filterd.feed.signed.trust import TrustFolder
from filterd.resolve.explain import client_of, explain
from filterd.texts.counted import fingerprint
from filterd.texts.i18n import Texts, quoted, say
from filterd.wire import name as names
from tests.support.backed_up_school import OTHER_MAC, BackedUpSchool, a_key_pair, an_account
from tests.support.commands import call
from tests.support.fake_daemon import MONDAY_AT_8
from tests.support.needs import command

if TYPE_CHECKING:
    from collections.abc import Iterator

    from filterd.resolve.site import Site
    from tests.support.commands import Outcome
    from tests.support.feed_site import Published


LINKS = tuple(
    SchoolLink(f"192.168.{number}.0/24", f"lan{number}", f"192.168.{number}.1")
    for number in (6, 7, 20, 30)
)
TYPED = ["", "Trường THCS Nguyễn Du", "", "", "", "6A 7A", "6A", "7A", "pm", "gv", "", "3", "", ""]
ANSWERS = """\
school: Trường THCS Nguyễn Du
classes: [6A, 7A]
seat 192.168.6.0/24: 6A
seat 192.168.7.0/24: 7A
seat 192.168.20.0/24: pm
seat 192.168.30.0/24: gv
lists: later
"""


class Place:
    """A machine without a site, and a person at its terminal."""

    def __init__(self, folder: Path, state: StateFolder, patch: pytest.MonkeyPatch) -> None:
        self.config, self.state = folder / "etc", StateFolder(folder / "state")
        self.state.folder.mkdir()
        self.state.index.write_bytes(state.index.read_bytes())  # compiled before: it takes seconds
        self._patch, self._folder = patch, folder
        self.asked = 0

        async def survey(_: str) -> Machine:
            return Machine(LINKS)

        patch.setattr(machine_survey, "survey", survey)

    def setup(self, *words: str | Path) -> Outcome:
        """Run the command."""
        places = ("--config", self.config, "--state", self.state.folder)
        return call("setup", *words, *places)

    def type(self, *lines: str) -> Outcome:
        """Run it with typed lines, and then Ctrl-C."""
        typed: Iterator[str] = iter(lines)
        self.asked = 0

        def read(_: str) -> str:
            self.asked += 1
            try:
                return next(typed)
            except StopIteration:
                raise KeyboardInterrupt from None

        self._patch.setattr(builtins, "input", read)
        self._patch.setattr(setup, "is_terminal", lambda: True)
        return self.setup()

    def answer(self, text: str = ANSWERS) -> Outcome:
        """Run it with a file of answers."""
        file = self._folder / "answers.yaml"
        file.write_text(text, encoding="utf-8")
        return self.setup("--answers", file)

    @property
    def site(self) -> str:
        return (self.config / "site.yaml").read_text(encoding="utf-8")


@pytest.fixture
def place(tmp_path: Path, state: StateFolder, monkeypatch: pytest.MonkeyPatch) -> Place:
    command("ip")
    return Place(tmp_path, state, monkeypatch)


def test_a_file_of_answers_makes_a_site_with_distinct_classes_room_and_staff(
    place: Place,
) -> None:
    done = place.answer()
    assert (done.code, done.err) == (0, "")
    rows = {"6.20": "6A", "7.20": "7A", "20.20": "6", "30.20": "staff"}
    for host, seat in rows.items():
        words = ("www.tiktok.com", "--client", f"192.168.{host}", "--lang", "en")
        shown = call("check", *words, "--config", place.config, "--state", place.state.folder)
        assert seat in shown.out, shown.out
    assert place.state.device_key.stat().st_mode & 0o777 == 0o600
    assert "# Bộ lọc DNS của Trường THCS Nguyễn Du" in (place.config / "sheet.md").read_text()


def test_the_sheet_has_the_fingerprint_of_the_certificate(place: Place) -> None:
    place.answer()
    facts = facts_in(place.state.web)
    assert facts is not None
    sheet = " ".join((place.config / "sheet.md").read_text(encoding="utf-8").split())
    assert facts.fingerprint in sheet
    place.answer()
    assert facts_in(place.state.web) == facts, "a second set-up makes no other one"


def test_a_person_answers_in_few_keystrokes_and_lines_fit_the_terminal(place: Place) -> None:
    done = place.type(*TYPED)
    assert (done.code, done.err) == (0, "")
    names = ("Trường THCS Nguyễn Du", "6A 7A", "6A", "7A")
    keystrokes = sum(1 + (0 if one in names else len(one)) for one in TYPED)
    assert keystrokes <= 25
    assert place.asked == len(TYPED)
    of_path = str(place.config).split()
    wide = [line for line in done.out.splitlines() if len(line) > 80]
    assert [one for one in wide if not any(word in one for word in of_path)] == []


@pytest.mark.parametrize("after", range(len(TYPED)))
def test_ctrl_c_at_any_question_changes_nothing(place: Place, after: int) -> None:
    done = place.type(*TYPED[:after])
    assert done.code == 130
    assert place.asked == after + 1
    assert not place.config.exists()
    assert not place.state.device_key.exists()
    assert "filterd setup" in done.out


def test_a_no_at_the_end_changes_nothing(place: Place) -> None:
    assert place.type(*TYPED[:-1], "không").code == 130
    assert not place.config.exists()


def test_a_setup_that_was_interrupted_is_taken_up_again(place: Place) -> None:
    place.type(*TYPED[:6])
    done = place.type("", *TYPED[6:])
    assert (done.code, done.err) == (0, "")
    assert "Nguyễn Du" in place.site
    kept = KEPT.read(place.state.answers)
    assert kept is not None
    assert kept.is_done


def test_it_can_begin_anew_instead(place: Place) -> None:
    place.type(*TYPED[:6])
    assert place.type("n", *TYPED).code == 0


def test_again_with_all_defaults_the_site_stays_octet_for_octet(place: Place) -> None:
    place.answer()
    path = place.config / "site.yaml"
    path.write_text(place.site.replace("staff}", "staff}  # thầy cô"), "utf-8")
    before = place.site
    assert place.answer("{}").code == 0
    assert place.site == before
    assert place.answer("school: Trường B").code == 0
    assert place.site == before.replace("Trường THCS Nguyễn Du", "Trường B")


def test_a_file_that_was_changed_during_the_questions_is_not_overwritten(
    place: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    place.answer()
    path, other = place.config / "site.yaml", place.site + "# another person\n"
    monkeypatch.setattr(Dialogue, "confirm", lambda *_: bool(path.write_text(other, "utf-8")))
    done = place.type("", "Trường B", *[""] * 30)
    assert (done.code, len(done.error_lines)) == (2, 1)
    assert "site.yaml: tệp đã bị sửa trong lúc cài đặt" in done.err
    assert place.site == other


def test_a_wrong_answer_in_a_file_is_a_line_with_an_example(place: Place) -> None:
    done = place.answer(ANSWERS.replace("gv", "thầy cô"))
    assert (done.code, len(done.error_lines)) == (2, 1)
    assert "seat 192.168.30.0/24: 'thầy cô' is not a class or grade" in done.err
    assert not place.config.exists()


def test_a_site_with_mistakes_is_reported_before_the_first_question(place: Place) -> None:
    place.config.mkdir()
    text = "school: {name: A}\nnetworks: {x: {cidrs: [10.0.0.0/99], grade: 6}}\n"
    (place.config / "site.yaml").write_text(text, encoding="utf-8")
    done = place.type(*TYPED)
    assert (done.code, place.asked) == (2, 0)
    assert "site.yaml:2:" in done.err
    assert place.site == text


def test_without_a_terminal_it_names_the_file_of_answers(place: Place) -> None:
    done = place.setup()
    assert (done.code, len(done.error_lines)) == (2, 1)
    assert "--answers FILE" in done.err


def test_without_the_rights_it_names_root(place: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "access", lambda _, mode: mode != os.W_OK)
    done = place.answer()
    assert (done.code, len(done.error_lines)) == (2, 1)
    assert "sudo filterd setup" in done.err


def test_a_step_that_fails_is_reported_and_the_others_are_done(place: Place) -> None:
    place.state.device_key.write_bytes(b"damaged")
    done = place.answer()
    assert done.code == 2
    assert "device.pem" in done.out
    assert (place.config / "sheet.md").exists()


def test_without_a_network_lists_are_left_for_the_night(place: Place) -> None:
    given = ANSWERS.replace("later", "recommended") + "upstreams: 192.0.2.1\n"
    done = place.answer(given)
    assert done.code == 0
    assert "ban đêm" in " ".join(done.out.split())
    assert "follow: [recommended]" in place.site


def test_a_feed_is_trusted_by_the_fingerprint_of_its_root(
    place: Place, published: Published, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(
        setup_finish, "WebFetcher", lambda _, clock: FolderFetcher(published.at("2"), clock)
    )
    lists = "lists: feed\nfeed: https://feed.example/\nupstreams: 192.0.2.1\nroot: "
    given = ANSWERS.replace("lists: later", f"{lists}'{'0' * 64}'")
    done = place.answer(given)
    assert (done.code, TrustFolder(place.state.feed).is_given()) == (2, False)
    done = place.answer(ANSWERS.replace("lists: later", lists + fingerprint(published.root)))
    assert (done.code, TrustFolder(place.state.feed).is_given()) == (0, True), done.out
    assert "feed: https://feed.example/" in place.site
    assert place.answer("upstreams: 192.0.2.1").code == 0


RICH = """\
school: {name: Trường THCS Nguyễn Du}
language: vi
listen: ["192.168.6.99:5353", "127.0.0.1:5353"]
lan_interfaces: [eth7]
upstreams: ["192.0.2.1"]
classes: {6A: {grade: 6}, 7A: {grade: 7, teachers: [lan]}}
networks:
  lop-6a: {cidrs: [192.168.6.0/24], class: 6A}
  lop-7a: {cidrs: [192.168.7.0/24], class: 7A}
  lab:                                # the computer room
    cidrs: [192.168.20.0/24]
    macs: ["02:00:5e:00:00:01"]
    grade: 6
    timetable: {t2: {tiet-1: 6A, tiet-2: 7A}, t3: {tiet-1: 7A}}
  giao-vien: {cidrs: [192.168.30.0/24], grade: staff}
lessons: {tiet-1: 07:00-07:45, tiet-2: 07:50-08:35}
exceptions:
  - {block: chan.example, for: {class: 6A}, reason: "bài học", author: "hiệu trưởng"}
local_zones: [{name: truong.example, records: ["may-in A 192.168.6.50"]}]
leases: {files: [{file: /var/lib/misc/leases, format: dnsmasq}]}
"""
NAMES = ("www.tiktok.com", "www.1xbet.com", "chan.example", "mo.example", "may-in.truong.example",
         "edu.vn", "roblox.com", "youtube.com", "vnexpress.net", "zalo.me")  # fmt: skip


def in_force(config: Path, state: StateFolder) -> Site:
    """Return the site on a Monday morning."""
    here = Context(config, state, Texts("en"), Console(), Console())
    return load_site_offline(here, MONDAY_AT_8)


def rooms(config: Path, state: StateFolder) -> dict[str, tuple[object, ...]]:
    """Return devices and grade of each room."""
    networks = in_force(config, state).policy.networks
    return {network.id: (network.macs, network.grade) for network in networks}


def verdicts(config: Path, state: StateFolder) -> list[object]:
    """Return what 1,000 pairs of name and client get."""
    site = in_force(config, state)
    clients = [
        client_of(site, None, f"192.168.{net}.{host}")
        for net in (6, 7, 20, 30)
        for host in range(25)
    ]
    return [
        explain(site, client, names.from_text(name), 1, MONDAY_AT_8).to_plain()
        for client in clients
        for name in NAMES
        if client is not None
    ]


def test_a_new_box_with_other_names_decides_as_the_old_one(place: Place, tmp_path: Path) -> None:
    old = BackedUpSchool(tmp_path / "old", site=RICH, now=MONDAY_AT_8 - 60)
    old.state.index.write_bytes(place.state.index.read_bytes())
    old.allow("mo.example", audience="class", whom="6A")
    old.allow("mo.example", audience="client", whom="192.168.7.9")
    old.change("room", room="lab", grade="9")
    old.change("room-devices", room="lab", macs=[OTHER_MAC])
    old.with_keys()
    old.put_accounts(an_account("lan"))
    public, secret = a_key_pair()
    backup = old.back_up("b.zip", BackupLock(key=public))
    key = tmp_path / "key"
    key.write_text(secret)
    (tmp_path / "answers.yaml").write_text("lists: later\nhere eth7: lan6\n")
    words = (
        "--restore",
        backup,
        "--recovery-key-file",
        key,
        "--answers",
        tmp_path / "answers.yaml",
    )
    done = place.setup(*words)
    assert (done.code, done.err) == (0, "")
    assert "lan (" in done.out
    assert "+ allow mo.example" in done.out or "+ mở mo.example" in done.out
    for line in ("192.168.6.1:5353", "lan_interfaces: [lan6]", "# the computer room"):
        assert line in place.site
    before = verdicts(old.config, old.state)
    assert len(before) == 1_000
    assert verdicts(place.config, place.state) == before
    assert rooms(place.config, place.state) == rooms(old.config, old.state)
    assert rooms(old.config, old.state)["lab"][0] == (OTHER_MAC,)
    assert len({str(one) for one in before}) > 20, "the site tells them apart"
    assert place.state.device_key.read_bytes() == old.state.device_key.read_bytes()
    again = place.setup(*words)
    assert (again.code, "filterd restore TỆP" in again.err) == (2, True)


def test_control_another_site_decides_otherwise(place: Place, tmp_path: Path) -> None:
    old = BackedUpSchool(tmp_path / "old", site=RICH, now=MONDAY_AT_8 - 60)
    old.state.index.write_bytes(place.state.index.read_bytes())
    before = verdicts(old.config, old.state)
    old.allow("mo.example", audience="class", whom="6A")
    assert verdicts(old.config, old.state) != before


LINK = SchoolLink("192.168.1.0/24", "eth0", "192.168.1.2")


class Screen:
    """A terminal of 80 columns and the lines that are typed."""

    def __init__(self, *typed: str) -> None:
        self._out, self._typed = io.StringIO(), iter(typed)
        console = Console(file=self._out, width=80, highlight=False, markup=False)
        here = Context(Path(), StateFolder(Path()), Texts("en"), console, console)
        self.dialogue = Dialogue(here, Texts("vi"), self._read)

    def _read(self, prompt: str) -> str:
        self._out.write(prompt)
        typed = next(self._typed, None)
        if typed is None:
            raise EOFError
        self._out.write(f"{typed}\n")
        return typed

    @property
    def text(self) -> str:
        return self._out.getvalue()

    def ask(self, interview: Interview) -> None:
        """Ask until what is typed ends."""
        with pytest.raises(KeyboardInterrupt):
            self.dialogue.ask_all(interview, lambda: None)


def test_from_the_first_answer_on_the_chosen_language_is_spoken() -> None:
    screen = Screen("2", "A school")
    screen.ask(Interview(Machine((LINK,))))
    assert "Ngôn ngữ của filterd" in screen.text
    assert "Name of the school" in screen.text


def test_a_wrong_answer_is_reported_with_an_example_and_asked_again() -> None:
    screen, interview = Screen("en", "123", "A school"), Interview(Machine())
    screen.ask(interview)
    assert "a name has letters (such as: Nguyen Du lower secondary school)" in screen.text
    assert interview.answers["school"] == "A school"


def test_choices_have_numbers_and_the_default_stands_in_brackets() -> None:
    screen = Screen("en", "A school", "", "")
    screen.ask(Interview(Machine((LINK,), outward=("eth0",))))
    assert "\n  B  DHCP, DNS and gateway on one network card." in screen.text
    assert "\n[A] > " in screen.text
    assert "\n  1  192.168.1.0/24: eth0, this box is 192.168.1.2" in screen.text
    assert "\n[192.168.1.0/24] > " in screen.text


def test_a_long_default_is_shown_whole_on_lines_of_its_own() -> None:
    known = Interview(Machine(), {"classes": ", ".join(f"6A{one}" for one in range(40))})
    known.answers.update(language="en", school="A", code="", placement="A", networks="10.0.0.0/8")
    screen = Screen()
    screen.ask(known)
    assert "6A39] \n> " in screen.text or "6A39]\n> " in screen.text
    assert max(map(len, screen.text.splitlines())) <= 80


def test_a_file_that_cannot_be_read_is_asked_for_again() -> None:
    def refuses(path: Path) -> list[list[str]]:
        raise StoreError(quoted(f"{path}: cannot be read"))

    known = Interview(Machine(read_table=refuses))
    known.answers.update(language="en", school="A", code="", placement="A", networks="10.0.0.0/8")
    screen = Screen("@none.csv", "6A")
    screen.ask(known)
    assert "none.csv: cannot be read" in screen.text
    assert known.answers["classes"] == "6A"


@pytest.mark.parametrize(("typed", "yes"), [("", True), ("có", True), ("K", False), ("no", False)])
def test_yes_and_no_are_understood_in_both_languages(typed: str, yes: bool) -> None:
    assert Screen("what", typed).dialogue.confirm(say("{n} more", n=1)) is yes


def test_a_person_goes_back_to_an_earlier_answer() -> None:
    screen, interview = Screen("en", "Wrong", "", "<", "<", "Right", ""), Interview(Machine())
    screen.ask(interview)
    assert interview.answers["school"] == "Right"
    assert "[Wrong] > " in screen.text, "the answer before is the default"


def test_before_the_first_question_there_is_none() -> None:
    screen, interview = Screen("<", "en"), Interview(Machine())
    screen.ask(interview)
    assert interview.answers == {"language": "en"}


def test_an_interrupted_set_up_is_gone_on_with_and_goes_back(place: Place) -> None:
    place.type("", "Trường Sai")
    place.type("", "<", "Trường Đúng")
    kept = KEPT.read(place.state.answers)
    assert kept is not None
    assert kept.answers["school"] == "Trường Đúng"


def test_an_interrupted_set_up_that_is_begun_anew_has_its_answers_as_defaults(
    place: Place,
) -> None:
    place.type("", "Trường A", "79000123")
    place.type("n", "", "", "")
    kept = KEPT.read(place.state.answers)
    assert kept is not None
    assert (kept.answers["school"], kept.answers["code"]) == ("Trường A", "79000123")


def test_after_the_last_question_nothing_is_pending() -> None:
    known = Interview(Machine((LINK,)))
    lines = ("", "Trường A", "", "A", "", "6A", "1", "", "", "3", "1")
    Screen(*lines).dialogue.ask_all(known, lambda: None)
    assert pending(known) is None
