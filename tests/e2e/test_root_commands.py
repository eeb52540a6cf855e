# SPDX-License-Identifier: Apache-2.0
"""Root's commands on the state folder of a service whose user is hostile."""

from __future__ import annotations

import contextlib
import itertools
import os
import shutil
import signal
import socket
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from filterd.base.state_folder import StateFolder
from filterd.texts.i18n import visible
from tests.support.commands import ROOT, environment
from tests.support.daemon import copy_lists, free_port, serving, write_site
from tests.support.feed_site import FIRST, Published
from tests.support.processes import family
from tests.support.unix_sockets import bind
from tests.support.unprivileged import NOBODY, give, open_folder, reach, unprivileged

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

pytestmark = [pytest.mark.long, pytest.mark.usefixtures("needs_root")]

AS_ROOT = ("-m", "filterd")
AS_IT_WAS = (
    "-c",
    "import filterd.base.privileges as p; p._owner_of = lambda folder: 0;"
    "import filterd.base.paths as q; q._give_to_owner_of = lambda *_: None;"
    "from filterd.cli.app import main; main()",
)
"""The control: root's rights are kept."""


class School:
    """A state folder of the service's user, and commands of root."""

    def __init__(self, folder: Path, before: tuple[str, ...]) -> None:
        self.folder, self.before = folder, before
        more = "feed: https://feed.example/\n"
        self.port = free_port()
        self.config = write_site(folder / "site", port=self.port, more=more)
        self.state = StateFolder(folder / "state")
        self.state.folder.mkdir(mode=0o750)
        give(self.state.folder)
        published = Published(folder / "published", count=1)
        self.stick = published.at(FIRST)
        self.root = folder / "root.json"
        self.root.write_bytes(published.root)
        # Closed to all others, as an administrator's home and stick are.
        for path in (self.root, self.stick):
            path.chmod(0o600 if path.is_file() else 0o700)
        self.victim = folder / "victim"
        (self.victim / "metadata" / "root_history").mkdir(parents=True)
        (self.victim / "versions").mkdir()
        (self.victim / "file").write_text("of root's")

    def run(
        self, *words: str | Path, program: tuple[str, ...] = AS_ROOT
    ) -> subprocess.CompletedProcess[str]:
        options = ("--config", str(self.config), "--state", str(self.state.folder))
        return subprocess.run(
            [*self.before, sys.executable, *program, *map(str, words), *options],
            cwd=ROOT,
            env=environment(PYTHONDONTWRITEBYTECODE="1"),
            capture_output=True,
            text=True,
            timeout=120,
            check=False,
        )

    def taken(self) -> None:
        """Have a root and what was taken with it, all the service's."""
        assert self.run("feed", "trust", self.root).returncode == 0
        self.run("sync", "--from", self.stick)

    def owners(self) -> dict[str, int]:
        """Return what in the state folder is not the service's."""
        paths = [self.state.folder, *self.state.folder.rglob("*")]
        return {str(path): uid for path in paths if (uid := path.lstat().st_uid) != NOBODY}

    def look_of_victim(self) -> list[tuple[str, int, int, int]]:
        """Return all of the folder of root's that must not be touched."""
        found = [self.victim, *sorted(self.victim.rglob("*"))]
        looks = ((one, one.lstat()) for one in found)
        return [(str(one), had.st_uid, had.st_mode, had.st_mtime_ns) for one, had in looks]


@pytest.fixture
def school() -> Iterator[School]:
    with reach() as before, open_folder() as folder:
        yield School(folder, before)


def test_what_root_makes_before_the_service_ever_ran_is_the_service_s(school: School) -> None:
    assert school.run("feed", "trust", school.root).returncode == 0
    assert school.run("lists", "build", "--quiet").returncode == 0
    assert school.run("feed", "hold", "--reason", "r").returncode == 0
    assert school.run("feed", "hold", "--off").returncode == 0
    taken = school.run("sync", "--from", school.stick)
    assert taken.returncode in (0, 50), taken.stderr  # read off the stick, and judged
    assert school.state.feed_version(FIRST).is_dir()
    for words in (
        ("feed", "status"),
        ("exceptions", "list"),
        ("history", "list"),
        ("history", "verify"),
        ("policy", "history"),
        ("report-mistake", "--list"),
        ("check", "www.tiktok.com", "--grade", "1"),
    ):
        assert school.run(*words).returncode in (0, 1), words
    assert school.owners() == {}
    with unprivileged() as before, serving(school.config, school.state.folder, before=before) as up:
        assert school.run("status").returncode == 0
        exported = school.folder / "rooms.csv"
        assert school.run("room", "export", exported).returncode == 0
        assert exported.stat().st_uid == 0
        assert (
            school.run("block", "x.example", "--until", "2099-01-01", "--reason", "r").returncode
            == 0
        )
        assert '"author": "root"' in school.run("history", "list", "--json").stdout
        assert up.end() == 0
    assert school.owners() == {}


def test_control_with_root_s_rights_the_folder_stays_root_s(school: School) -> None:
    assert school.run("feed", "trust", school.root, program=AS_IT_WAS).returncode == 0
    assert school.owners()


def test_what_root_has_left_before_is_given_to_the_service(school: School) -> None:
    school.run("feed", "trust", school.root, program=AS_IT_WAS)
    outside = school.folder / "outside"
    outside.write_text("root's")
    os.link(outside, school.state.folder / "hard")
    (school.state.folder / "soft").symlink_to(outside)
    os.chown(school.state.folder / "soft", NOBODY, NOBODY, follow_symlinks=False)
    school.run("feed", "status")
    assert set(school.owners()) == {str(school.state.folder / "hard")}
    assert outside.stat().st_uid == 0


LAYOUTS = [
    ("feed",),
    ("feed/metadata/root_history", "feed/root.json", "build.lock"),
    ("feed/metadata", "feed/versions", "feed/history.jsonl", "index.new", "overrides.sqlite"),
    ("feed/feed.lock",),
]
COMMANDS = [
    ("feed", "trust", "ROOT", "--replace"),
    ("sync", "--from", "STICK"),
    ("feed", "hold", "--reason", "r"),
    ("lists", "build", "--quiet"),
    ("history", "verify"),
]


def _lay_link(school: School, place: str) -> None:
    """Put a link to what is root's where filterd has something of its own."""
    path, target = school.state.folder / place, school.victim
    if path.suffix:
        target = target / "file"
    elif place != "feed":
        target = target / "/".join(path.parts[path.parts.index("feed") + 1 :])
    if path.is_dir():
        shutil.rmtree(path)
    path.unlink(missing_ok=True)
    path.parent.mkdir(parents=True, exist_ok=True)
    path.symlink_to(target)
    give(school.state.folder)


def _give_all_commands(school: School, program: tuple[str, ...] = AS_ROOT) -> None:
    named = {"ROOT": str(school.root), "STICK": str(school.stick)}
    for words in COMMANDS:
        done = school.run(*(named.get(word, word) for word in words), program=program)
        assert "Traceback" not in done.stderr, done.stderr


@pytest.mark.parametrize("places", LAYOUTS, ids=lambda places: places[0])
def test_no_command_of_root_s_writes_or_deletes_through_a_link(
    school: School, places: tuple[str, ...]
) -> None:
    school.taken()
    for place in places:
        _lay_link(school, place)
    before = school.look_of_victim()
    _give_all_commands(school)
    assert school.look_of_victim() == before
    assert (school.victim / "file").read_text() == "of root's"


@pytest.mark.parametrize("place", ["feed", "feed/metadata"])
def test_control_with_root_s_rights_the_link_is_followed(school: School, place: str) -> None:
    school.taken()
    _lay_link(school, place)
    before = school.look_of_victim()
    _give_all_commands(school, AS_IT_WAS)
    assert school.look_of_victim() != before


@contextlib.contextmanager
def _swapping(school: School) -> Iterator[None]:
    """Have the service's user put a link in the place of ``feed`` and take it away, for ever."""
    feed, aside = school.state.feed, school.state.folder / "aside"
    attacker = os.fork()
    if attacker == 0:
        os.setgroups([])
        os.setgid(NOBODY)
        os.setuid(NOBODY)
        for _ in itertools.count():
            with contextlib.suppress(OSError):
                feed.rename(aside)
            with contextlib.suppress(OSError):
                feed.symlink_to(school.victim)
            with contextlib.suppress(OSError):
                feed.unlink()
            with contextlib.suppress(OSError):
                aside.rename(feed)
    try:
        yield
    finally:
        os.kill(attacker, signal.SIGKILL)
        os.waitpid(attacker, 0)


def test_no_race_lets_root_write_through_a_link(school: School) -> None:
    school.taken()
    before = school.look_of_victim()
    with _swapping(school):
        _give_all_commands(school)
    assert school.look_of_victim() == before


SECRET = "bi-mat-cua-root"
READING = [
    *COMMANDS,
    ("feed", "status"),
    ("lists", "status"),
    ("lists", "search", "tiktok.com"),
    ("check", "tiktok.com", "--grade", "6"),
    ("policy", "show", "--grade", "6"),
    ("policy", "history"),
    ("history", "list"),
    ("exceptions", "list"),
    ("report-mistake", "--list"),
    ("alerts", "list"),
    ("account", "list"),
    ("site", "apply"),
    ("inspect", "--out", "RECORD"),
    ("fleet", "enrol"),
    ("backup", "BACKUP"),
    ("update",),
    ("cert", "show"),
    ("doctor",),
]
"""Commands of root's that read the state, where no daemon runs."""
HUGE_OCTETS = 1 << 34


def _link(path: Path, school: School) -> None:
    path.symlink_to(school.folder / "secret")


def _deep(path: Path, _: School) -> None:
    path.write_bytes(b"filterd policy 1\n" + b"[" * 1_000_000)


def _huge(path: Path, _: School) -> None:
    with path.open("wb") as file:
        file.truncate(HUGE_OCTETS)


def _escapes(path: Path, _: School) -> None:
    path.write_text("\x1b[2J\x1b]0;a\x07\u202e\n" * 9)


BAITS: dict[str, Callable[[Path, School], None]] = {
    "a pipe": lambda path, _: os.mkfifo(path),
    "a link to root's file": _link,
    "a link to a device": lambda path, _: path.symlink_to("/dev/zero"),
    "a huge file": _huge,
    "depth": _deep,
    "escapes": _escapes,
}


def _places_of(school: School) -> list[Path]:
    """Return every file that may stand in a state folder, by its purpose or because it does."""
    known = {school.state.folder / "control.sock", *school.state.files}
    for name in vars(StateFolder):
        if isinstance(found := getattr(school.state, name, None), Path):
            known.add(found)
    known |= {one for one in school.state.folder.rglob("*") if not one.is_dir()}
    return sorted(one for one in known if not one.is_dir())


@pytest.mark.parametrize("kind", BAITS)
def test_no_file_of_the_service_s_keeps_root_waiting_or_shows_what_is_root_s(
    school: School, kind: str
) -> None:
    """Of three files one is as it was, so that commands come further than to the first."""
    part = [*BAITS].index(kind) % 3
    (school.folder / "secret").write_text(SECRET * 3)
    (school.folder / "secret").chmod(0o600)
    school.taken()
    for at, path in enumerate(_places_of(school)):
        if at % 3 != part:
            path.unlink(missing_ok=True)
            path.parent.mkdir(parents=True, exist_ok=True)
            BAITS[kind](path, school)
    give(school.state.folder)
    named = {one: str(school.folder / one) for one in ("RECORD", "BACKUP")}
    named |= {"ROOT": str(school.root), "STICK": str(school.stick)}
    for words in READING:
        done = school.run(*(named.get(word, word) for word in words))
        shown = done.stdout + done.stderr
        assert SECRET not in shown, words
        assert "Traceback" not in shown, (words, shown)
        assert visible(shown) == shown, words


def test_a_link_in_place_of_the_control_socket_leads_root_nowhere(school: School) -> None:
    with socket.socket(socket.AF_UNIX) as other:
        bind(other, school.folder / "other.sock")
        other.listen()
        other.setblocking(False)
        school.state.control_socket.symlink_to(school.folder / "other.sock")
        done = school.run("status")
        assert done.returncode == 2
        with pytest.raises(BlockingIOError):
            other.accept()


def test_a_state_folder_that_is_a_link_is_one(school: School, built: StateFolder) -> None:
    real = school.folder / "real"
    school.state.folder.rename(real)
    school.state.folder.symlink_to(real)
    copy_lists(built, real)
    assert school.run("feed", "trust", school.root).returncode == 0
    assert school.run("lists", "status").returncode == 0
    assert {one.lstat().st_uid for one in real.rglob("*")} == {NOBODY}


def test_a_daemon_that_root_starts_serves_with_the_folder_s_owner_s_rights(
    school: School, built: StateFolder
) -> None:
    copy_lists(built, school.state.folder)
    school.state.past_policies.symlink_to(school.victim)
    give(school.state.folder)
    site = school.config / "site.yaml"
    own = f"127.77.{school.port >> 8}.{school.port & 255}"  # with a port 53 that no other test has
    site.write_text(
        site.read_text().replace("listen: ['127.0.0.1:", f"listen: ['{own}:53', '127.0.0.1:")
    )
    before = school.look_of_victim()
    with serving(school.config, school.state.folder, before=school.before) as up:
        assert any(f"{own} port 53" in line for line in up.log)
        pids = list(family(up.process.pid))
        uids = [
            Path(f"/proc/{pid}/status").read_text().split("Uid:")[1].split()[:4] for pid in pids
        ]
        assert {uid for one in uids for uid in one} == {str(NOBODY)}
        assert school.run("status").returncode == 0
        assert up.end() == 0
    assert school.look_of_victim() == before
    assert school.owners() == {}
