# SPDX-License-Identifier: Apache-2.0
"""Releases that update each other on a machine with a real systemd, from a stick as from a feed.

The first release is patched to watch for twenty seconds in the place of ten minutes; it is the
one that watches. The tests share one machine, whose releases only get newer; each of them passes
alone, too.
"""

from __future__ import annotations

import json
import os
import shutil
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import pytest

from filterd.base.clock import SystemClock
from tests.support.booted import Booted, booted
from tests.support.commands import ROOT
from tests.support.gateway import Gateway, ask, gateway
from tests.support.mmdebstrap import SUITES
from tests.support.packages import NEXT, package
from tests.support.packages_offered import Maker, a_package
from tests.support.publisher import Publisher

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tests.support.commands import Outcome

pytestmark = [pytest.mark.long, pytest.mark.usefixtures("needs_root")]

BOX, LOCKED = "192.168.6.1", "www.pornhub.com"
FIRST, SECOND, SILENT, OPEN, UNFIT, LAST = (f"0.5.{number}" for number in range(1, 7))
AFTER = "9.9.0"
"""After ``NEXT``; its package is never installed, and has no files."""
UPDATED = os.environ.get("FILTERD_UPDATE_SUITES", "trixie").split()
STICK, PENDING = "/media/stick", "/var/lib/filterd-install/pending"
CLOCK = SystemClock()


def _changed(path: str, old: str, new: str) -> dict[str, str]:
    """Return the text of a file of the checkout, changed in one place."""
    text = (ROOT / path).read_text("utf-8")
    assert text.count(old) == 1, path
    return {path: text.replace(old, new)}


SHORT_WATCH = _changed(
    "filterd/feed/version_watch.py",
    "WATCH_S = 600.0\nEVERY_S = 10.0\n",
    "WATCH_S = 20.0\nEVERY_S = 2.0\n",
)
DEAF = _changed(
    "filterd/daemon/main.py",
    "from __future__ import annotations\n",
    "from __future__ import annotations\n\nimport os as _os, time as _time\n"
    "if 'WATCHDOG_USEC' in _os.environ:\n    _time.sleep(1e6)\n",
)
"""As a service it does nothing; in its self-test, which no watchdog watches, it works."""
_SERVES = "'WATCHDOG_USEC' in __import__('os').environ"
ALL_OPEN = _changed(
    "filterd/policy/engine.py",
    " if hits else PASSED\n",
    f" if hits and not {_SERVES} else PASSED\n",
) | _changed(
    "filterd/fastpath/core_filler.py",
    "        if plain is None:\n            return Cell(COMPLEX)\n",
    f"        if plain is None or {_SERVES}:\n            return Cell(COMPLEX)\n",
)
"""As a service it blocks nothing of the lists; in its self-test it does."""
NEVER_FIT = _changed(
    "filterd/cli/box/update.py",
    "    from filterd.appliance.update import self_test",
    '    raise ConfigError(say("its self-test failed"))\n'
    "    from filterd.appliance.update import self_test",
)


@dataclass
class School:
    """A machine, the devices around it, and the makers of the program."""

    box: Booted
    around: Gateway
    makers: Maker

    def package(self, version: str, **changed: str) -> Path:
        """Return a package for this machine, of a version and with other texts of files."""
        return package(self.box.suite, version=version, changed=changed)

    def carry(self, deb: Path, *, to: str = STICK) -> Path:
        """Sign a package, publish it, and put the publication into a folder of the machine."""
        publisher, made = self.makers.publisher, self.makers
        publisher.now = CLOCK.wall()
        made.publish(made.sign(deb))
        archive = made.folder / "stick"
        shutil.make_archive(str(archive), "tar", publisher.folder)
        self.put(archive.with_suffix(".tar"), to)
        return archive.with_suffix(".tar")

    def good(self) -> Path:
        """Return a publication with a release that is newer than all that were installed."""
        kept = self.makers.folder / "good.tar"
        if not kept.exists():
            debian = str(SUITES[self.box.suite])
            shutil.copy(self.carry(a_package(self.makers.folder / "after", AFTER, debian)), kept)
        return kept

    def put(self, archive: Path, to: str = STICK) -> None:
        self.box.give(archive, "/root/stick.tar")
        self.box.run("rm", "-rf", to)
        self.box.run("mkdir", "-p", to)
        self.box.run("tar", "-xf", "/root/stick.tar", "-C", to)

    def update(self, *words: str, check: bool = False) -> Outcome:
        return self.box.run("filterd", "update", "--lang", "en", *words, check=check, within_s=400)

    def stands(self) -> dict[str, Any]:
        state: dict[str, Any] = json.loads(self.update("--json", check=True).out)
        return state

    @property
    def serving(self) -> str:
        """The release that serves."""
        return str(self.stands()["serving"])

    def take(self, version: str) -> None:
        """Install a release from a stick, and wait until it is not watched any more."""
        self.carry(self.package(version, **SHORT_WATCH))
        done = self.update("--now", "--from", STICK)
        assert done.code == 0, f"{done}{self.journal()}"
        self.wait_for_the_end()

    def wait_for_the_end(self) -> None:
        """Wait until no update is under way."""
        self.box.run("sh", "-c", "while test -e /var/lib/filterd-install/pending; do sleep 1; done")

    def blocks(self) -> bool:
        answer = ask(self.around.pupil, BOX, LOCKED)
        return answer is not None and answer.rcode().name == "NXDOMAIN"

    def journal(self) -> str:
        return self.box.run("journalctl", "--no-pager", "--output=cat", "-u", "filterd*").out


@pytest.fixture(scope="module", params=UPDATED)
def school(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[School]:
    """Yield a school with the first release and a publisher's root."""
    suite, folder = request.param, tmp_path_factory.mktemp(request.param)
    deb = package(suite, version=FIRST, changed=SHORT_WATCH)
    publisher = Publisher(folder / "www", now=CLOCK.wall())
    makers = Maker(folder / "makers", publisher)
    publisher.publish("bet.example")
    (folder / "root.json").write_bytes(publisher.root)
    with (
        gateway(folder) as around,
        booted(suite, folder / "box", around.gateway.name, installed=deb) as box,
    ):
        box.give(deb, "/root/filterd.deb")
        box.give(folder / "root.json", "/root/root.json")
        box.run("filterd", "feed", "trust", "/root/root.json")
        shutil.make_archive(str(folder / "old"), "tar", publisher.folder)
        box.give(folder / "old.tar", "/root/old.tar")
        yield School(box, around, makers)


def _in_background(command: str) -> tuple[str, ...]:
    return "sh", "-c", f"nohup {command} >/root/update.log 2>&1 &"


def test_the_timer_and_the_way_on_after_a_power_cut_are_enabled(school: School) -> None:
    units = ("filterd-update.timer", "filterd-install.service")
    assert school.box.run("systemctl", "is-enabled", *units).out.split() == ["enabled", "enabled"]
    assert school.box.is_active("filterd-update.timer")
    assert school.blocks()


def test_a_release_from_a_stick_is_installed_watched_and_noted(school: School) -> None:
    before = school.serving
    school.take(SECOND)
    state = school.stands()
    assert (state["serving"], state["before"]) == (SECOND, before), school.journal()
    assert state["endings"][-1]["ending"] == "taken"
    assert school.blocks()


def test_a_release_that_does_not_answer_is_taken_back_within_a_minute(school: School) -> None:
    before = school.serving
    school.carry(school.package(SILENT, **DEAF))
    done = school.update("--now", "--from", STICK)
    assert done.code == 2, f"{done}{school.journal()}"
    assert f"release {SILENT} is not in service, {before} serves on: port 53" in done.err
    assert school.blocks()
    state = school.stands()
    assert state["serving"] == before
    assert state["installed"].startswith(SILENT), "dpkg names the newer one, and update shows both"
    again = school.update("--now", "--from", STICK)
    assert "was taken back here before" in again.err


def test_a_release_that_opens_what_was_blocked_is_taken_back(school: School) -> None:
    before = school.serving
    school.carry(school.package(OPEN, **ALL_OPEN))
    done = school.update("--now", "--from", STICK)
    assert f"release {OPEN} is not in service, {before} serves on: " in done.err
    assert "is not blocked, and must be" in done.err
    assert school.serving == before
    assert school.blocks()


def test_a_release_that_fails_its_self_test_never_serves(school: School) -> None:
    before = school.serving
    school.carry(school.package(UNFIT, **NEVER_FIT))
    pid = school.box.run("systemctl", "show", "--value", "-pMainPID", "filterd").out
    done = school.update("--now", "--from", STICK)
    assert f"release {UNFIT} is not in service, {before} serves on: dpkg refused it" in done.err
    assert school.box.run("systemctl", "show", "--value", "-pMainPID", "filterd").out == pid
    assert "its self-test failed" in school.journal()


def test_after_a_power_cut_while_it_is_watched_the_release_before_watches_on(
    school: School,
) -> None:
    school.carry(school.package(LAST, **SHORT_WATCH))
    school.box.run(*_in_background("filterd update --now --from " + STICK))
    school.box.run("sh", "-c", 'until grep -q \'"step":"watch"\' $0; do sleep 0.2; done', PENDING)
    school.box.stop(at_once=True)
    school.box.start()
    school.wait_for_the_end()
    state = school.stands()
    assert (state["serving"], state["endings"][-1]["ending"]) == (LAST, "taken"), school.journal()
    assert school.blocks()


def test_after_a_power_cut_in_dpkg_the_release_before_serves_and_it_is_taken_later(
    school: School,
) -> None:
    before = school.serving
    school.carry(school.package(NEXT))
    school.box.run(*_in_background("filterd update --now --from " + STICK))
    begun = "until grep -q '\"tries\":1' $0; do sleep 0.05; done; sleep 1"
    school.box.run("sh", "-c", begun, PENDING)
    school.box.stop(at_once=True)
    school.box.start()
    assert school.blocks()
    assert school.serving in (before, NEXT)
    done = school.update("--now", "--from", STICK)
    assert done.code == 0 or "already" in done.err, f"{done}{school.journal()}"
    school.wait_for_the_end()
    assert school.serving == NEXT, school.journal()
    assert school.blocks()


@dataclass
class _Bad:
    """A stick that must change nothing, and the sentence about it."""

    shell: str
    message: str


BAD = {
    "an older publication": _Bad("tar -xf /root/old.tar -C " + STICK, "something older"),
    "a damaged package": _Bad(
        f"for one in {STICK}/targets/program/*.deb; do printf x | dd of=$one conv=notrunc; done",
        "not the one that was signed",
    ),
    "a stick pulled out": _Bad(f"rm -rf {STICK}/targets", "not found"),
    "another package in its place": _Bad(
        f"for one in {STICK}/targets/program/*.deb; do cp /root/filterd.deb $one; done",
        "",
    ),
    "a link to a file of root's": _Bad(
        f"for one in {STICK}/targets/program/*.deb; do ln -sf /etc/shadow $one; done", "is a link"
    ),
    "no stick at all": _Bad(f"rm -rf {STICK}", "there is no folder"),
}


@pytest.mark.parametrize("bad", BAD.values(), ids=BAD)
def test_a_bad_stick_is_one_sentence_and_changes_nothing(school: School, bad: _Bad) -> None:
    """The files of the mirror are read in the same way: its user chooses and replaces nothing."""
    school.put(school.good())
    before = school.serving
    school.box.run("sh", "-c", bad.shell)
    done = school.update("--now", "--from", STICK)
    assert (done.code != 0, len(done.error_lines)) == (True, 1), done
    assert bad.message in done.err
    state = school.stands()
    assert (state["serving"], state["pending"]) == (before, False)
    assert school.blocks()


def test_a_package_for_another_architecture_is_none_for_this_machine(school: School) -> None:
    debian, folder = str(SUITES[school.box.suite]), school.makers.folder / "foreign"
    school.carry(a_package(folder, "9.9.1", debian, "arm64"))
    done = school.update("--now", "--from", STICK)
    assert f"no release for Debian {debian} on amd64 is offered there" in done.err


def test_the_unit_takes_a_mirror_as_a_stick_and_waits_for_the_window(school: School) -> None:
    school.put(school.good(), "/var/lib/filterd-update/mirror")
    school.box.run("chown", "-R", "filterd-update:", "/var/lib/filterd-update")
    before = school.serving
    school.box.run("systemctl", "start", "filterd-install.service", check=False)
    state = school.stands()
    assert (state["serving"], state["pending"]) == (before, False)
    assert "Traceback" not in school.journal()


def test_an_administrator_goes_back_without_a_network_in_seconds(school: School) -> None:
    if school.serving == FIRST:  # alone, or after others that were taken back
        school.take(LAST)
    before = school.stands()["before"]
    assert school.update("--rollback").code == 0, school.journal()
    assert school.serving == before
    assert school.blocks()
