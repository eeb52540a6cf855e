# SPDX-License-Identifier: Apache-2.0
"""A held version delays no legal order, and once released no school.

Publisher, keys, guard, run and daemon are real. The online keys alone can release
nothing; a version signed only by withdrawn keys is no target of a rollback.
"""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any

import pytest
from securesystemslib.signer import CryptoSigner
from tuf.api.metadata import Metadata

from filterd.base.clock import SystemClock
from filterd.base.errors import GuardError
from filterd.feed import admission, held_versions, sync
from filterd.feed.guard.judgement import Judgement, Severity, found
from filterd.feed.guard.limits import GROWTH, POPULAR
from filterd.feed.guard.must_resolve import BENEATH, REWRITES
from filterd.feed.guard.tables import TABLES
from filterd.feed.signed import deltas
from filterd.feed.signed.trust import TrustFolder
from filterd.feed.standing import Event
from filterd.lists.index_files import version_of
from filterd.publish import hold_release
from filterd.publish.parcels import make_parcel
from filterd.publish.publication import Published
from filterd.publish.signing import RELEASES, signed, until
from filterd.texts.i18n import say
from tests.support.broken_versions import add, an_order
from tests.support.feed_candidates import GAMBLING
from tests.support.feed_school import School, a_school
from tests.support.yaml_files import change_yaml

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tests.support.feed_school import Change

pytestmark = pytest.mark.long

RETIRED, ANOTHER = "vnpt-ca.vn", "viettel-ca.vn"
ORDERED, NEXT = "ordered.example", "next.example"


@pytest.fixture(scope="module", autouse=True)
def _no_waiting() -> Iterator[None]:
    """Other tests cut the power, and nothing downloads the files packed here."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(os, "fsync", lambda _: None)
        patch.setattr(deltas, "_FULL_LEVELS", (1, *deltas._FULL_LEVELS))
        yield


@pytest.fixture
def school(tmp_path: Path) -> Iterator[School]:
    with a_school(tmp_path) as made:
        yield made


def without(*pins: str, also: Change | None = None) -> Change:
    """Retire pins."""

    def change(folder: Path) -> None:
        table = folder / "pins.yaml"
        change_yaml(table, lambda data: data.update(
            pins=[one for one in data["pins"] if one["name"] not in pins]))  # fmt: skip
        if also is not None:
            also(folder)

    return change


def is_held(school: School) -> bool:
    before = school.in_force
    with pytest.raises(GuardError, match="is held: pins: "):
        school.sync()
    return school.in_force == before


def sign(school: School, held: hold_release.Held, signers: list[CryptoSigner]) -> None:
    """Put a release of the held version beside the metadata, with any signature."""
    kinds = {finding.kind: frozenset(finding.subjects) for finding in held.findings}
    release = held_versions.ReleasedHold(held.version, held.content, kinds, "evil")
    metadata = held_versions.signable((release,), 1, until(RELEASES, school.publisher.now))
    school.publisher.put(held_versions.FILE, signed(metadata, signers))


def what_is_held(school: School) -> hold_release.Held:
    return hold_release.what_is_held(school.publisher.folder, SystemClock())


def test_a_hold_is_released_for_all_by_the_offline_keys_alone(
    school: School, monkeypatch: pytest.MonkeyPatch
) -> None:
    publisher, signers = school.publisher, school.publisher.signers
    school.publish(without(RETIRED))
    held = what_is_held(school)
    assert [finding.subjects for finding in held.findings] == [
        (f"-pins {RETIRED}", f"-pins *.{RETIRED}")
    ]
    online = [signers[role][0] for role in ("targets", "snapshot", "timestamp")]
    sign(school, held, [*online, signers["root"][0]])
    assert is_held(school)
    assert "too few valid keys" in str([one.why for one in school.site.history.lines()])

    roots = signers["root"][1:]
    hold_release.release_hold(publisher.folder, held, "it is retired", roots, now=publisher.now)
    school.publish(without(RETIRED, ANOTHER))
    assert is_held(school)  # what was released is not this
    # A version that comes a night later lacks the same pin.
    later = school.publish(without(RETIRED, also=add(GAMBLING, "b.example")))
    assert school.sync().version == later == school.in_force
    [line] = [one for one in school.site.history.lines() if one.event is Event.APPROVED]
    assert "it is retired" in line.why

    # Control: if other keys than the root's counted, an online key would release all.
    evil = school.publish(without(RETIRED, ANOTHER))
    sign(school, what_is_held(school), online)
    monkeypatch.setattr(
        held_versions, "verified", lambda content, _: Metadata[Any].from_bytes(content).signed
    )
    assert school.sync().version == evil == school.in_force
    assert school.pupil.wrong_answers() == []


def test_two_root_keys_release_nothing_that_is_refused(
    school: School, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A thief of two keys signs anything, without the publisher's own command."""
    roots, before = school.publisher.signers["root"][:2], school.in_force
    for judged_as in (None, Severity.HELD):
        version = school.publish(add("starter/gambling.txt", "google.com"))
        content = held_versions.content_digest(
            Published(school.publisher.folder).publication(int(version))
        )
        everything = tuple(
            found(kind, Severity.HELD, say("{why}", why="any"))
            for kind in (BENEATH, POPULAR, GROWTH, TABLES, REWRITES)
        )
        sign(school, hold_release.Held(int(version), content, everything), roots)
        if judged_as is None:
            with pytest.raises(GuardError, match="is refused"):
                school.sync()
            assert (school.in_force, school.is_blocked("google.com")) == (before, False)
        else:  # the control: were it held only, the release would do
            monkeypatch.setattr(Judgement, "severity", judged_as)
            assert school.sync().version == version == school.in_force
            assert school.is_blocked("google.com")


def test_what_the_law_orders_comes_ahead_of_what_is_held(
    school: School, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = school.in_force
    order = an_order(f"{ORDERED}\n".encode())
    held = school.publish(without(RETIRED, also=order), urgent=True)
    with monkeypatch.context() as control:  # without that it waits
        control.setattr(sync, "with_orders_of", lambda *_: None)
        assert is_held(school)
    assert not school.is_blocked(ORDERED)

    with pytest.raises(GuardError, match="is held: pins: "):
        school.sync()
    assert school.in_force == f"-{held}"
    assert school.is_blocked(ORDERED)
    judgement = school.site.standing.read().judgement
    assert judgement is not None
    assert judgement.version == held  # that is what waits, and may be approved
    assert is_held(school)  # nothing new is ordered
    with school.site.holding():
        assert school.site.roll_back(say("{why}", why="a test")) == before
    assert not school.is_blocked(ORDERED)

    following = school.publish(without(RETIRED, also=an_order(f"{NEXT}\n".encode())))
    with pytest.raises(GuardError, match="is held: pins: "):
        school.sync()
    assert (school.in_force, school.is_blocked(NEXT)) == (f"-{following}", True)
    with school.site.holding():
        assert school.site.approve(following, "a test")
    assert (school.in_force, school.is_blocked(NEXT)) == (following, True)
    assert school.pupil.wrong_answers() == []


def test_a_key_that_only_the_online_keys_have_named_orders_nothing(
    school: School, monkeypatch: pytest.MonkeyPatch
) -> None:
    publisher, before = school.publisher, school.in_force
    thief = CryptoSigner.generate_ed25519()
    version = publisher.snapshot.signed.version + 1
    orders = make_parcel("orders", [], [thief], version=version, now=publisher.now)
    publisher.root_changes.rotate_delegated(orders, publisher.signers, now=publisher.now)
    publisher.signers["orders"] = [thief]
    evil = school.publish(an_order(b"google.com\n"), urgent=True)
    with pytest.raises(GuardError, match="signed by another key than now"):
        school.sync()
    assert (school.in_force, school.is_blocked("google.com")) == (before, False)
    monkeypatch.setattr(admission, "other_key", lambda *_: ())  # the control
    assert school.sync().version == evil
    assert school.is_blocked("google.com")


def test_a_version_that_a_withdrawn_key_has_signed_is_no_way_back(
    school: School, monkeypatch: pytest.MonkeyPatch
) -> None:
    publisher, back = school.publisher, say("{why}", why="a test")
    evil = school.publish(add(GAMBLING, "evil.example"))
    school.sync()
    assert school.in_force == evil
    school.publish()  # the publisher's own lists again, and then other keys
    for role in ("targets", "snapshot", "timestamp"):
        [old], new = publisher.signers[role], CryptoSigner.generate_ed25519()
        publisher.root_changes.rotate_key(role, old, new, publisher.signers, now=publisher.now)
        publisher.signers[role] = [new]
    good = school.publish(add(GAMBLING, "good.example"))
    school.sync()
    state = school.site.versions.in_force()
    assert (state.current, state.previous[0]) == (good, evil)
    assert version_of(school.index.with_name("index.previous.filterd")) is None

    with monkeypatch.context() as control, school.site.holding():
        control.setattr(TrustFolder, "trusts", lambda *_: True)
        assert school.site.roll_back(back) == evil
        assert school.is_blocked("evil.example")
        school.site.approve(good, "and forth")
    with school.site.holding(), pytest.raises(GuardError, match="was signed by a key that"):
        school.site.approve(evil, "by mistake")
    better = school.publish(add(GAMBLING, "better.example"))
    school.sync()
    with school.site.holding():
        assert school.in_force == better
        assert school.site.roll_back(back) == good  # what the new keys have signed
        assert school.site.roll_back(back) is None
    assert not school.is_blocked("evil.example")
    assert school.is_blocked("porn.blocked.filterd.example")
