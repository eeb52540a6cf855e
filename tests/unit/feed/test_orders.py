# SPDX-License-Identifier: Apache-2.0
"""A version of the lists in force and the orders of another; that it serves is asked end to end."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from filterd.feed.guard.judgement import Severity
from filterd.feed.manifest import verify, write_manifest
from filterd.feed.orders import other_key, with_orders_of
from filterd.feed.versions import Versions
from filterd.lists.catalog import load_catalog
from filterd.lists.catalog_tables import read_canaries
from filterd.state_folder import StateFolder
from tests.support.broken_versions import an_order
from tests.support.feed_folders import publication_of, put_in_force, put_version

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture
def state(tmp_path: Path) -> StateFolder:
    return StateFolder(tmp_path)


def ordered(state: StateFolder, version: str, *names: str) -> Path:
    """Have a version at hand whose list is another one, and which orders these names."""
    folder = put_version(state, version, "held.example")
    (folder / "manifest.json").unlink()
    an_order("".join(f"{one}\n" for one in names).encode())(folder)
    write_manifest(folder, publication_of(folder, version))
    return folder


def test_lists_stay_and_orders_come(state: StateFolder) -> None:
    versions = put_in_force(state, "1", "casino.example")
    ordered(state, "2", "ordered.example")
    made = with_orders_of("2", versions)
    assert made is not None
    assert (made.version, verify(made.folder)) == ("-2", ())
    assert (made.folder / "lists/gambling.txt").read_text() == "casino.example\n"
    assert (made.folder / "orders/1.txt").read_text() == "ordered.example\n"
    assert [one.id for one in load_catalog(made.folder).orders] == ["order:1/CV"]
    versions.promote("-2")
    assert with_orders_of("2", versions) is None


def test_orders_that_are_over_go(state: StateFolder) -> None:
    versions = put_in_force(state, "1", "casino.example")
    ordered(state, "2", "ordered.example")
    with_orders_of("2", versions)
    versions.promote("-2")
    put_version(state, "3", "held.example")
    made = with_orders_of("3", versions)
    assert made is not None
    assert not (made.folder / "orders.yaml").exists()


def test_before_the_first_version_orders_come_beside_what_ships(state: StateFolder) -> None:
    ordered(state, "2", "ordered.example")
    made = with_orders_of("2", Versions(state.feed))
    assert made is not None
    assert verify(made.folder) == ()
    canaries = read_canaries(made.folder)
    locked = {one.id for one in load_catalog(made.folder).categories if one.locked}
    assert {"porn", "gambling", "drugs"} <= locked & canaries.keys()


@pytest.mark.parametrize("damaged", ["1/lists/gambling.txt", "2/orders/1.txt"])
def test_nothing_is_made_of_what_is_damaged(state: StateFolder, damaged: str) -> None:
    versions = put_in_force(state, "1", "casino.example")
    ordered(state, "2", "ordered.example")
    path = state.feed / "versions" / damaged
    path.write_bytes(path.read_bytes()[:-1])
    assert with_orders_of("2", versions) is None


def test_what_a_killed_process_has_left_is_made_anew(state: StateFolder) -> None:
    versions = put_in_force(state, "1", "casino.example")
    ordered(state, "2", "ordered.example")
    versions.partial_of("-2").mkdir()
    (versions.partial_of("-2") / "left.txt").write_text("x")
    made = with_orders_of("2", versions)
    assert made is not None
    assert not (made.folder / "left.txt").exists()


@pytest.mark.parametrize(
    ("new", "known", "subjects"),
    [
        (["a"], ["a"], None),
        (["b", "a"], ["a", "b"], None),
        (["a"], None, None),
        (["a"], [], None),
        (None, ["a"], None),
        (["b"], ["a"], ("+orders b",)),
        (["b", "a"], ["a"], ("+orders a", "+orders b")),
        ([], ["a"], ()),
    ],
)
def test_a_key_that_was_not_known_waits(
    new: list[str] | None, known: list[str] | None, subjects: tuple[str, ...] | None
) -> None:
    found = list(other_key(new, known))
    assert [one.subjects for one in found] == ([] if subjects is None else [subjects])
    assert all(one.severity is Severity.HELD for one in found)
