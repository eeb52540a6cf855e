# SPDX-License-Identifier: Apache-2.0
"""The version that was built becomes the one that is published, whole or not at all."""

from __future__ import annotations

import shutil
from typing import TYPE_CHECKING

import pytest

from filterd.base import paths
from filterd.base.errors import ConfigError, FeedError, InUseError, StoreError
from filterd.feed.version_files import KEPT_DELTAS
from filterd.overrides.mistake_answers import (
    FILE,
    MistakeAnswer,
    MistakeOutcome,
    dump_answers,
    parse_answers,
)
from filterd.publish.parcels import read_parcel
from filterd.publish.publication import Published
from filterd.publish.release import publishing, release
from filterd.publish.signed_orders import sign_orders
from filterd.publish.signing import targets_of
from tests.support.evidence_folder import CONTACT
from tests.support.feed_desk import files_of
from tests.support.feed_folders import write_blocklists
from tests.support.publisher import NOW, Publisher, Site
from tests.support.yaml_files import write_yaml

if TYPE_CHECKING:
    from pathlib import Path

    from filterd.publish.parcels import Parcel

LIST = "lists/gambling.txt"


class _House:
    """A publisher and the folder of its next version."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.publisher = Publisher(folder / "www")
        self.version = write_blocklists(folder / "version", *_names(300))

    def change(self, *names: str) -> None:
        (self.version / LIST).write_text("".join(f"{name}\n" for name in names))

    def ordered(self, *names: str, expiry: str = "2027-12-31") -> Parcel:
        office = self.folder / "office"
        (office / "orders").mkdir(parents=True, exist_ok=True)
        (office / "orders" / "1.txt").write_text("".join(f"{name}\n" for name in names))
        entry = f"number: 1/QĐ, issuer: Bộ, date: 2027-01-04, expiry: {expiry}"
        text = f"orders:\n- {{{entry}, names: orders/1.txt}}\n"
        (office / "orders.yaml").write_text(text, encoding="utf-8")
        sign_orders(office, self.folder / "parcel", self.publisher.signers["orders"], now=NOW)
        return read_parcel(self.folder / "parcel", "orders")

    def seen(self) -> dict[str, bytes]:
        """Return the paths and packed octets of what a new school takes."""
        shutil.rmtree(self.folder / "site", ignore_errors=True)
        return Site(self.folder / "site", self.publisher.root).take(self.publisher.folder)

    def unpacked(self, version: int) -> dict[str, bytes]:
        target = self.folder / "unpacked" / str(version)
        return files_of(Published(self.publisher.folder).unpack(version, target))


def _names(count: int, first: int = 0) -> list[str]:
    """Return names that do not pack well: what changes counts."""
    return [f"{number * 2_654_435_761 % 2**32:08x}.example" for number in range(first, count)]


@pytest.fixture
def house(tmp_path: Path) -> _House:
    return _House(tmp_path)


def _release(house: _House, **how: object) -> int:
    signers = house.publisher.signers
    done = release(house.publisher.folder, house.version, signers, now=NOW, **how)  # type: ignore[arg-type]
    return done.version


def test_schools_take_the_folder_as_it_is(house: _House) -> None:
    assert _release(house) == 2
    assert house.unpacked(2) == files_of(house.version)
    assert set(house.seen()) == set(files_of(house.version))


def test_what_changes_costs_a_school_the_difference(house: _House) -> None:
    _release(house)
    house.change(*_names(301))
    signers = house.publisher.signers
    costs = release(house.publisher.folder, house.version, signers, now=NOW).costs
    assert (costs.changed, costs.files) == (1, len(files_of(house.version)))
    assert 0 < costs.tonight == costs.deltas < costs.full / 10
    assert costs.unpacked == sum(map(len, files_of(house.version).values()))


def test_differences_lead_from_each_of_the_last_versions(house: _House) -> None:
    for number in range(KEPT_DELTAS + 2):
        house.change(*_names(300 + number))
        version = _release(house)
    published = Published(house.publisher.folder)
    deltas = [delta for delta in published.publication(version).deltas if delta.path == LIST]
    assert len(deltas) == KEPT_DELTAS
    assert len(published.versions()) == KEPT_DELTAS + 1


def test_the_same_folder_is_published_again_without_a_new_file(house: _House) -> None:
    _release(house)
    before = set(files_of(house.publisher.folder / "targets"))
    assert _release(house) == 3
    assert set(files_of(house.publisher.folder / "targets")) == before


def test_orders_come_beside_the_version_and_stay_with_later_ones(house: _House) -> None:
    signers = house.publisher.signers
    parcel = house.ordered("ordered.example")
    done = release(house.publisher.folder, house.version, signers, now=NOW, parcel=parcel)
    assert [order.number for order in done.orders] == ["1/QĐ"]
    _release(house)
    assert house.unpacked(3)["orders/1.txt"] == b"ordered.example\n"


def test_orders_alone_leave_the_version_as_it_is(house: _House) -> None:
    _release(house)
    parcel = house.ordered("ordered.example")
    signers = house.publisher.signers
    release(house.publisher.folder, None, signers, now=NOW, parcel=parcel)
    after = house.unpacked(3)
    assert {path: after[path] for path in files_of(house.version)} == files_of(house.version)
    assert after["orders/1.txt"] == b"ordered.example\n"


def test_answers_to_mistakes_name_the_version_that_has_them_first(house: _House) -> None:
    first = MistakeAnswer("a.example", MistakeOutcome.MENDED, "2027-01-15", "x")
    second = first._replace(name="b.example", outcome=MistakeOutcome.REFUSED)
    for answers in ([first], [first, second], [first._replace(reason="y"), second]):
        (house.version / FILE).write_bytes(dump_answers(answers))
        _release(house)
    signers = house.publisher.signers
    release(house.publisher.folder, None, signers, now=NOW, parcel=house.ordered("o.example"))
    found = [
        [answer.version for answer in parse_answers(house.unpacked(version)[FILE])]
        for version in (2, 3, 4, 5)
    ]
    assert found == [[2], [2, 3], [4, 3], [4, 3]]
    assert parse_answers((house.version / FILE).read_bytes())[0].version == 0


def test_an_order_whose_day_is_over_blocks_until_it_is_signed_anew(house: _House) -> None:
    signers, folder = house.publisher.signers, house.publisher.folder
    parcel = house.ordered("ordered.example", expiry="2027-01-20")
    release(folder, house.version, signers, now=NOW, parcel=parcel)
    later = release(folder, house.version, signers, now=NOW + 10 * 86_400)
    assert [order.number for order in later.orders] == ["1/QĐ"]
    assert "orders/1.txt" in house.unpacked(3)


@pytest.mark.parametrize(
    ("path", "content", "error", "why"),
    [
        ("categories.yaml", b"categories: 7\n", ConfigError, "categories.yaml"),
        ("notes.txt", b"a.example\n", FeedError, r"notes\.txt: this is not a part of a version"),
        ("lists/stray.txt", b"a.example\n", FeedError, "this is not a part of a version"),
        ("keys/online/targets.pem", b"-----BEGIN", FeedError, "this is not a part of a version"),
        ("lookalikes-decisions.yaml", b"", FeedError, "this is not a part of a version"),
        (FILE, b'{"answers": [{"name": "x"}]}', FeedError, f"{FILE}: .* is missing|{FILE}: "),
        ("orders/1.txt", b"a.example\n", FeedError, "only the role orders may name this file"),
    ],
)
def test_what_no_school_would_take_is_not_published(
    house: _House, path: str, content: bytes, error: type[Exception], why: str
) -> None:
    _release(house)
    before = files_of(house.publisher.folder / "metadata")
    (house.version / path).parent.mkdir(parents=True, exist_ok=True)
    (house.version / path).write_bytes(content)
    with pytest.raises(error, match=why):
        _release(house)
    assert files_of(house.publisher.folder / "metadata") == before


def test_a_version_whose_contact_is_a_placeholder_is_not_published(house: _House) -> None:
    _release(house)
    contact = {**CONTACT, "email": "maintainers@filterd.invalid"}
    write_yaml(house.version / "contacts.yaml", {"contacts": [contact]})
    with pytest.raises(ConfigError, match="nobody can be reached at '111, maintainers@filterd"):
        _release(house)
    assert Published(house.publisher.folder).version == 2


@pytest.mark.control
def test_without_the_check_a_placeholder_is_published(
    house: _House, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("filterd.publish.release.check_contacts", lambda _: None)
    contact = {**CONTACT, "email": "maintainers@filterd.invalid"}
    write_yaml(house.version / "contacts.yaml", {"contacts": [contact]})
    version = _release(house)
    assert b"filterd.invalid" in house.unpacked(version)["contacts.yaml"]


def test_an_order_does_not_wait_for_a_better_contact(house: _House) -> None:
    contact = {**CONTACT, "email": "maintainers@filterd.invalid"}
    write_yaml(house.version / "contacts.yaml", {"contacts": [contact]})
    targets = targets_of(house.version, [])
    house.publisher.repository.publish(targets, house.publisher.signers, now=NOW)
    parcel = house.ordered("o.example")
    release(house.publisher.folder, None, house.publisher.signers, now=NOW, parcel=parcel)
    assert house.unpacked(3)["orders/1.txt"] == b"o.example\n"


def test_a_disk_that_refuses_loses_nothing(house: _House, monkeypatch: pytest.MonkeyPatch) -> None:
    _release(house)
    before = house.seen()
    house.change("new.example")

    def full(_temporary: Path, path: Path) -> None:
        raise OSError(28, "No space left on device", str(path))

    with monkeypatch.context() as refusing:
        refusing.setattr(paths, "install", full)
        with pytest.raises(StoreError, match="No space left on device"):
            _release(house)
    assert house.seen() == before
    assert _release(house) == 3
    assert house.unpacked(3)[LIST] == b"new.example\n"


def test_the_leftovers_of_a_killed_process_go_away(house: _House) -> None:
    left = house.folder / ".filterd-publish-left"
    (left / "1").mkdir(parents=True)
    _release(house)
    assert not list(house.folder.glob(".filterd-publish-*"))


def test_only_one_process_publishes_and_the_lock_is_not_handed_out(house: _House) -> None:
    with (
        publishing(house.publisher.folder),
        pytest.raises(InUseError, match="another process is publishing"),
    ):
        _release(house)
    assert {one.name for one in house.publisher.folder.iterdir()} == {"metadata"}
    assert _release(house) == 2
