# SPDX-License-Identifier: Apache-2.0
"""A policy is taken as it is only while everything that it was compiled from is as it was."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

from filterd.base.errors import StoreError
from filterd.base.paths import shipped
from filterd.config import build_record
from filterd.config.build_record import write_policy
from filterd.config.compile import compile_policy
from filterd.config.compile_run import compile_in_child
from filterd.config.site_reader import load_site
from filterd.lists.catalogs.catalog import load_catalog
from filterd.policy import policy_file
from tests.support.made_once import MadeOnce
from tests.support.site import SCHOOL

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path


pytestmark = pytest.mark.usefixtures("warm_children")
LISTS = "lists: [{id: own, file: own.txt, category: porn}]\n"


class Place:
    """A site, its catalogue and its compiled policy."""

    def __init__(self, folder: Path) -> None:
        self.config, self.policy = folder / "site", folder / "state" / "policy"
        self.blocklists, self.own = folder / "blocklists", self.config / "own.txt"
        self.config.mkdir()
        self.site = self.config / "site.yaml"
        self.site.write_text(SCHOOL + LISTS, encoding="utf-8")
        self.own.write_text("bad.example\n")
        shutil.copytree(shipped("blocklists"), self.blocklists)
        self.compile()

    def compile(self) -> None:
        compile_in_child(self.config, self.policy, blocklists=self.blocklists)

    @property
    def record(self) -> Path:
        return self.policy.with_name("policy.origin")

    @property
    def is_current(self) -> bool:
        return build_record.is_current(self.policy, self.config, blocklists=self.blocklists)

    @property
    def is_of_site(self) -> bool:
        return build_record.is_of_site(self.policy, self.config, blocklists=self.blocklists)

    def forge(self, key: str, change: Callable[[dict[str, object]], None]) -> None:
        """Change one part of the record."""
        plain = json.loads(self.record.read_bytes().splitlines()[2])
        change(plain[key])
        self.record.write_text(json.dumps(plain))


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> MadeOnce[Place]:
    return MadeOnce(tmp_path_factory.mktemp("place"), Place)


@pytest.fixture
def place(made: MadeOnce[Place]) -> Place:
    return made.anew()


def _append(path: Path) -> None:
    path.write_text(path.read_text(encoding="utf-8") + "# changed\n", encoding="utf-8")


def _move(place: Place) -> None:
    place.own.rename(place.config / "other")
    place.own.symlink_to(place.config / "other")


def _replace_by_a_folder(path: Path) -> None:
    path.unlink()
    path.mkdir()


CHANGES: dict[str, Callable[[Place], object]] = {
    "the site": lambda place: _append(place.site),
    "a tier of its own": lambda place: shutil.copy(
        shipped("policies") / "primary.yaml", place.config
    ),
    "the catalogue": lambda place: _append(place.blocklists / "pins.yaml"),
    "a list that is gone": lambda place: place.own.unlink(),
    "a list that is elsewhere": _move,
    "a list that ships": lambda place: shutil.rmtree(place.blocklists / "starter"),
    "the policy": lambda place: _append(place.policy),
    "no policy": lambda place: place.policy.unlink(),
    "no record": lambda place: place.record.unlink(),
    "a torn record": lambda place: place.record.write_bytes(place.record.read_bytes()[:1000]),
    "a record of nothing": lambda place: place.record.write_text("[]"),
    "a folder in its place": lambda place: _replace_by_a_folder(place.record),
    "no site": lambda place: place.site.unlink(),
    "a program of another age": lambda place: place.forge(
        "program", lambda files: files.update({build_record.__file__: [1, 1]})
    ),
    "a program that is gone": lambda place: place.forge(
        "program", lambda files: files.update({"/nowhere/module.py": [1, 1]})
    ),
}


@pytest.mark.parametrize("what", CHANGES)
def test_whatever_it_was_made_from_changes_it_is_current_no_more(place: Place, what: str) -> None:
    assert place.is_current
    CHANGES[what](place)
    assert not place.is_current


@pytest.mark.parametrize("what", CHANGES)
def test_it_is_of_the_site_until_more_changes_than_the_release(place: Place, what: str) -> None:
    assert place.is_of_site
    CHANGES[what](place)
    assert place.is_of_site == ("program" in what)


def test_what_ships_with_another_release_is_none_of_the_site(
    place: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    def at_another_place(folder: str) -> Path:
        return place.blocklists if folder == "blocklists" else place.config / "elsewhere"

    monkeypatch.setattr(build_record, "shipped", at_another_place)
    _append(place.blocklists / "pins.yaml")
    assert not place.is_current
    assert place.is_of_site


def test_compiled_again_it_is_current_again(place: Place) -> None:
    _append(place.site)
    place.compile()
    assert place.is_current


def test_the_same_site_elsewhere_is_another_one(place: Place, tmp_path: Path) -> None:
    elsewhere = shutil.copytree(place.config, tmp_path / "elsewhere")
    assert not build_record.is_current(place.policy, elsewhere, blocklists=place.blocklists)


def test_what_changes_while_it_is_compiled_was_not_compiled(place: Place) -> None:
    code = (
        "import sys\n"
        "from filterd.config import __main__ as child\n"
        "load = child.load_site\n"
        "def change_after_reading(folder, kept):\n"
        "    site = load(folder, kept)\n"
        "    with (folder / 'site.yaml').open('a') as file: file.write('# changed')\n"
        "    return site\n"
        "child.load_site = change_after_reading\n"
        "sys.exit(child.main(sys.argv[1:]))\n"
    )
    words = [str(place.config), str(place.policy), str(place.blocklists)]
    subprocess.run([sys.executable, "-c", code, *words], check=True)
    assert not place.is_current


def test_the_program_counts_with_what_it_brings(place: Place) -> None:
    program = json.loads(place.record.read_bytes().splitlines()[2])["program"]
    for part in ("filterd/config/compile.py", "pydantic/main.py", "public_suffix_list.dat"):
        assert any(path.endswith(part) for path in program), part


def test_a_record_goes_where_its_policy_goes(place: Place) -> None:
    installed = place.policy.with_name("installed")
    place.policy.rename(installed)
    build_record.hand_over(place.policy, installed)
    assert build_record.is_current(installed, place.config, blocklists=place.blocklists)
    assert not place.record.exists()


def test_a_record_that_cannot_be_written_costs_only_a_compilation(place: Place) -> None:
    _replace_by_a_folder(place.record)
    place.compile()
    assert not place.is_current


def test_a_file_beyond_all_measure_is_not_read_to_its_end(
    place: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(build_record, "_LARGEST_OCTETS", 100)
    assert not place.is_current


def test_other_expectations_make_it_another_policy(tmp_path: Path) -> None:
    place = Place(tmp_path)
    assert place.is_current
    (place.config / "expectations").mkdir()
    (place.config / "expectations" / "own.yaml").write_text("- a.example passes\n")
    assert not place.is_current
    place.compile()
    assert place.is_current


def test_a_policy_that_was_changed_afterwards_can_keep_its_record(place: Place) -> None:
    place.policy.write_bytes(place.policy.read_bytes() + b"more")
    assert not place.is_current
    build_record.note_changed(place.policy)
    assert place.is_current
    place.site.write_text(SCHOOL, encoding="utf-8")
    assert not place.is_current


def _kept(place: Place) -> build_record.Site:
    kept = build_record.site_of(place.policy)
    assert kept is not None
    return kept


def test_a_policy_knows_the_files_of_its_site(place: Place) -> None:
    assert _kept(place)["site.yaml"] == SCHOOL + LISTS
    place.record.unlink()
    assert build_record.site_of(place.policy) is None


def test_a_record_of_another_policy_is_not_used_for_this_site(place: Place) -> None:
    _append(place.policy)  # power went between the two renamings
    assert build_record.site_of(place.policy) is None


def test_what_is_compiled_of_a_site_as_it_was_is_current_only_once_that_is_restored(
    place: Place,
) -> None:
    kept = _kept(place)
    _append(place.site)
    looked = build_record.look(place.config, place.blocklists, kept)
    assert looked is not None
    build_record.note_origin(place.policy, looked, [str(place.own)], [])
    assert not place.is_current
    place.site.write_text(SCHOOL + LISTS, encoding="utf-8")
    assert place.is_current


def test_to_look_at_a_site_as_it_was_its_files_need_not_be_readable(place: Place) -> None:
    kept = _kept(place)
    _replace_by_a_folder(place.site)
    assert build_record.look(place.config, place.blocklists) is None
    assert build_record.look(place.config, place.blocklists, kept) is not None


def test_octets_that_are_no_text_are_kept_as_they_are(place: Place) -> None:
    place.site.write_bytes(b"\xff\xfe")
    looked = build_record.look(place.config, place.blocklists)
    assert looked is not None
    assert build_record.octets(looked.site["site.yaml"]) == b"\xff\xfe"
    assert build_record.look(place.config, place.blocklists, looked.site) == looked


def test_a_policy_moves_with_its_record(place: Place) -> None:
    target = place.policy.with_name("candidate")
    build_record.move(place.policy, target)
    assert build_record.is_current(target, place.config, blocklists=place.blocklists)
    build_record.move(place.policy, target)  # nothing is left to move
    assert build_record.is_current(target, place.config, blocklists=place.blocklists)


def test_a_policy_that_moved_without_its_record_is_not_taken_by_another(place: Place) -> None:
    target = place.policy.with_name("candidate")
    shutil.copy(place.policy, target)
    shutil.copy(place.record, target.with_name("candidate.origin"))
    place.record.unlink()
    _append(place.policy)
    build_record.move(place.policy, target)
    assert not build_record.is_current(target, place.config, blocklists=place.blocklists)


def test_a_record_of_an_earlier_release_counts(place: Place) -> None:
    place.record.write_bytes(place.record.read_bytes().splitlines()[2])  # it was the JSON alone
    assert place.is_current
    assert build_record.site_of(place.policy) is not None
    build_record.note_changed(place.policy)
    assert place.record.read_bytes().startswith(b"filterd policy-origin 1\n")
    assert place.is_current


BLOCKLISTS = shipped("blocklists")


@pytest.fixture
def config(tmp_path: Path) -> Path:
    folder = tmp_path / "site"
    folder.mkdir()
    (folder / "site.yaml").write_text(SCHOOL, encoding="utf-8")
    return folder


def written(target: Path, config: Path, looked: build_record.Looked | None) -> None:
    catalog = load_catalog(BLOCKLISTS)
    write_policy(target, compile_policy(load_site(config), catalog), looked, catalog.compiled)


def test_a_policy_stands_beside_what_it_was_made_from(config: Path, tmp_path: Path) -> None:
    target = tmp_path / "policy"
    written(target, config, build_record.look(config, BLOCKLISTS))
    assert policy_file.load(target).school
    assert build_record.is_current(target, config, blocklists=BLOCKLISTS)


def test_where_that_could_not_be_seen_the_policy_serves_and_is_compiled_again(
    config: Path, tmp_path: Path
) -> None:
    target = tmp_path / "policy"
    written(target, config, None)
    assert policy_file.load(target).school
    assert not build_record.is_current(target, config, blocklists=BLOCKLISTS)


def test_a_disk_that_refuses_the_policy_is_reported(config: Path) -> None:
    with pytest.raises(StoreError):
        written(config / "site.yaml" / "policy", config, None)
