# SPDX-License-Identifier: Apache-2.0
"""A state folder of release 0.1, made by its commands, keeps everything under this release.

``tests/fixtures/make-state-of-0.1`` makes it, and describes its content.
"""

from __future__ import annotations

import shutil
import sqlite3
import tarfile
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from filterd.base.errors import ConfigErrors
from filterd.base.state_folder import StateFolder
from filterd.daemon.manager.site_loader import load_site
from filterd.daemon.manager.site_policy import compile_policy_or_keep
from filterd.feed.appliance_files import TimeFloor
from filterd.feed.signed.trust import TrustFolder
from filterd.feed.standing import History, overview
from filterd.feed.version_files import verify
from filterd.feed.versions import VersionPointer, Versions
from filterd.overrides.history import snapshot
from filterd.overrides.history.store import Store
from filterd.policy.model import Client
from filterd.texts.counted import fingerprint
from filterd.wire import RRType
from filterd.wire import name as names
from tests.support.clock import FakeClock

if TYPE_CHECKING:
    from filterd.resolve.site import Site

pytestmark = pytest.mark.usefixtures("warm_children")

ARCHIVE = Path(__file__).resolve().parents[1] / "fixtures" / "state-of-0.1.tar.xz"
MADE_AT = 1_795_846_000.0
"""Some minutes after it was made, 2026-11-28."""


@pytest.fixture
def state(tmp_path: Path) -> StateFolder:
    with tarfile.open(ARCHIVE) as archive:
        archive.extraction_filter = getattr(tarfile, "data_filter", None)  # since 3.11.4
        archive.extractall(tmp_path)
    return StateFolder(tmp_path / "state")


@pytest.fixture
def config(state: StateFolder) -> Path:
    return state.folder.parent / "site"


def _start(config: Path, state: StateFolder) -> Site:
    """Load what a daemon serves that starts from these folders."""
    store = Store(state, FakeClock(wall=MADE_AT))
    store.start()
    compile_policy_or_keep(config, state, now=MADE_AT)
    return load_site(config, state, overrides=store.current(), now=MADE_AT)


def _blocked(site: Site, grade: str, *asked: str) -> set[str]:
    client = Client(site.policy.grades[grade])
    decided = (
        (one, site.engine.decide(client, names.from_text(one), RRType.A, MADE_AT)) for one in asked
    )
    return {name for name, verdict in decided if verdict.blocked}


ASKED = ("bet365.com", "www.first.example", "second.example", "tro-choi.example", "phim.example")


def _check_serves(site: Site) -> None:
    assert _blocked(site, "11", *ASKED) == {*ASKED} - {"second.example"}
    assert _blocked(site, "6", *ASKED) == {"bet365.com", "www.first.example", "tro-choi.example"}
    assert site.index.build["feed"] == 2
    (room,) = (network for network in site.policy.networks if network.id == "lab-a")
    assert room.grade == "9"


def test_its_site_serves_what_it_did(config: Path, state: StateFolder) -> None:
    _check_serves(_start(config, state))


@pytest.mark.parametrize("content", [b"school: {nam", b"version: 2\nschool: {name: A}\n"])
def test_its_last_good_policy_serves_with_a_broken_site(
    config: Path, state: StateFolder, content: bytes
) -> None:
    (config / "site.yaml").write_bytes(content)
    _check_serves(_start(config, state))


def test_its_last_good_policy_serves_without_the_texts_that_it_was_made_from(
    config: Path, state: StateFolder
) -> None:
    (config / "site.yaml").write_bytes(b"school: {nam")
    for path in state.folder.glob("*.origin"):
        path.unlink()
    _check_serves(_start(config, state))


def test_control_without_its_policy_nothing_serves_with_a_broken_site(
    config: Path, state: StateFolder
) -> None:
    (config / "site.yaml").write_bytes(b"school: {nam")
    for path in state.folder.glob("policy*"):
        path.unlink()
    with pytest.raises(ConfigErrors):
        load_site(config, state, now=MADE_AT)


def test_its_history_verifies_and_goes_on(state: StateFolder) -> None:
    store = Store(state, FakeClock(wall=MADE_AT))
    store.start()
    rows = store.rows()
    assert [(row.number, row.kind) for row in sorted(rows, key=lambda row: row.number)] == [
        (1, "exception"),
        (2, "exception"),
        (3, "room"),
        (4, "exception"),
        (5, "undo"),
    ]
    assert store.verify().is_sound
    store.change("undo", {"number": 2}, author="root", reason="một thay đổi của bản mới")
    assert store.verify().is_sound
    assert len(store.rows()) == len(rows) + 1


def test_control_a_row_that_was_changed_by_hand_is_found(state: StateFolder) -> None:
    connection = sqlite3.connect(state.overrides)
    connection.executescript(
        "DROP TRIGGER changes_are_not_altered; UPDATE changes SET reason = 'x' WHERE number = 2"
    )
    connection.close()
    assert not Store(state, FakeClock(wall=MADE_AT)).verify().is_sound


def test_its_overrides_hold_with_the_store_and_from_its_copy(state: StateFolder) -> None:
    store = Store(state, FakeClock(wall=MADE_AT))
    store.start()
    kept = store.current()
    assert [exception.target for exception in kept.exceptions] == [
        "bai-giang.example",
        "phim.example",
    ]
    state.overrides.unlink()
    copied = snapshot.newest(state.overrides_copies)
    assert copied is not None
    assert copied.overrides == kept


def test_its_feed_goes_on_where_it_was(state: StateFolder) -> None:
    versions = Versions(state.feed)
    assert versions.in_force() == VersionPointer("2", (), ("3",), "tuần thi")
    assert verify(versions.folder_of("2")) == ()
    given = TrustFolder(state.feed).given()
    assert fingerprint(given) == fingerprint((state.feed / "root.json").read_bytes())
    assert TimeFloor(state.feed).read() == float(
        (state.feed / "time-floor").read_bytes().split()[0]
    )
    assert [line.version for line in History(state.feed).lines()] != []
    shown = overview("https://feed.example/", state, FakeClock(wall=MADE_AT))
    expected = {"trusted": True, "served": 2, "in_force": 2, "refused": [3], "published": 3}
    assert {key: shown[key] for key in expected} == expected
    assert (shown["held"], shown["freshness"], shown["problem"]) == ("tuần thi", "fresh", "")


def test_control_without_its_root_the_feed_is_not_trusted(state: StateFolder) -> None:
    (state.feed / "root.json").unlink()
    shutil.rmtree(state.feed / "metadata")
    shown = overview("https://feed.example/", state, FakeClock(wall=MADE_AT))
    assert not shown["trusted"]


CLASSES = """\
classes: {6A: {grade: 6, teachers: [lan]}, 11B: {grade: 11}}
"""


def test_classes_are_added_to_its_site_and_its_history_goes_on(
    config: Path, state: StateFolder
) -> None:
    site = (config / "site.yaml").read_text(encoding="utf-8")
    written = site.replace("grade: 6}", "class: 6A}", 1) + CLASSES
    (config / "site.yaml").write_text(written, encoding="utf-8")
    _check_serves(_start(config, state))
    store = Store(state, FakeClock(wall=MADE_AT))
    store.start()
    until = MADE_AT + 3600
    store.change(
        "room", {"room": "lab-a", "grade": "11B", "ends_at": until}, author="root", reason=""
    )
    loan = {"class_id": "6A", "to": "minh", "ends_at": until}
    assert store.change("class-lend", loan, author="lan", reason="").overrides.loans
    named = {"mac": "00:00:5e:00:53:01", "name": "Máy 1"}
    assert store.change("device-name", named, author="root", reason="").overrides.device_names
    assert store.verify().is_sound
    moved = load_site(config, state, overrides=store.current(), now=MADE_AT)
    seats = {
        network.id: moved.policy.grades[network.grade].class_id for network in moved.policy.networks
    }
    assert seats == {"lop-6": "6A", "lop-11": "", "lab-a": "11B"}
    assert snapshot.newest(state.overrides_copies) is not None
