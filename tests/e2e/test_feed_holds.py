# SPDX-License-Identifier: Apache-2.0
"""A version that is held stops neither what the law orders nor, once released, any school.

Publisher, keys, guard, run and daemon are real. Whoever has the online keys alone can release
nothing; what was signed by keys that a later root has withdrawn is no way back.
"""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any

import pytest
from securesystemslib.signer import CryptoSigner
from tuf.api.metadata import Metadata, Root

from filterd.clock import SystemClock
from filterd.errors import GuardError
from filterd.feeds import packing, releases, syncing
from filterd.feeds.history import Event
from filterd.feeds.syncing import Became
from filterd.feeds.trust import TrustFolder
from filterd.lists.in_force import version_of
from filterd.publish import lifting
from filterd.publish.signing import RELEASES, signed, until
from filterd.sentences import say
from tests.support.broken_versions import add, an_order, data_of
from tests.support.feed_candidates import GAMBLING
from tests.support.feed_school import School, a_school

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tests.support.feed_school import Change

RETIRED = "tongdai111.vn"
ORDERED = "ordered.example"


@pytest.fixture(scope="module", autouse=True)
def _no_waiting() -> Iterator[None]:
    """What a power cut leaves is asked elsewhere, and nobody downloads what is packed here."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(os, "fsync", lambda _: None)
        patch.setattr(packing, "_FULL_LEVELS", (1, *packing._FULL_LEVELS))
        yield


@pytest.fixture
def school(tmp_path: Path) -> Iterator[School]:
    with a_school(tmp_path) as made:
        yield made


def without_pin(folder: Path) -> None:
    data_of("pins.yaml", lambda data: data.update(
        pins=[one for one in data["pins"] if one["name"] != RETIRED]))(folder)  # fmt: skip


def both(*changes: Change) -> Change:
    def change(folder: Path) -> None:
        for one in changes:
            one(folder)

    return change


def is_held(school: School) -> bool:
    with pytest.raises(GuardError, match="is held: pins: 2 of"):
        school.sync()
    return True


def release(school: School, signers: list[CryptoSigner], release: releases.Release) -> None:
    """Put a release beside the metadata, whoever has signed it."""
    expires = until(RELEASES, school.publisher.now)
    content = signed(releases.signable((release,), 1, expires), signers)
    school.publisher.put(releases.FILE, content)


def what_is_held(school: School) -> lifting.Held:
    return lifting.what_is_held(school.publisher.folder, SystemClock())


def test_a_hold_is_released_for_all_by_the_offline_keys(school: School) -> None:
    publisher = school.publisher
    version = school.publish(without_pin)
    assert is_held(school)
    held = what_is_held(school)
    assert [one.subjects for one in held.findings] == [(f"-pins {RETIRED}", f"-pins *.{RETIRED}")]
    roots = publisher.signers["root"][:2]
    lifting.release_hold(publisher.folder, held, "it is retired", roots, now=publisher.now)
    assert school.sync().became is Became.ACTIVATED
    assert school.in_force == version
    [line] = [one for one in school.site.history.lines() if one.event is Event.APPROVED]
    assert "it is retired" in line.why
    assert school.pupil.wrong_answers() == []


def test_a_release_holds_for_the_versions_after_it_and_for_nothing_else(school: School) -> None:
    publisher, roots = school.publisher, school.publisher.signers["root"][1:]
    school.publish(without_pin)
    held = what_is_held(school)
    lifting.release_hold(publisher.folder, held, "it is retired", roots, now=publisher.now)

    def another(folder: Path) -> None:
        data_of("pins.yaml", lambda data: data["pins"].pop())(folder)

    school.publish(both(without_pin, another))
    with pytest.raises(GuardError, match="is held"):
        school.sync()
    later = school.publish(both(without_pin, add(GAMBLING, "b.example")))
    assert school.sync().version == later


@pytest.mark.parametrize("who", ["one root key", "the online keys", "keys of their own", "nobody"])
def test_whoever_has_not_two_root_keys_releases_nothing(school: School, who: str) -> None:
    signers = school.publisher.signers
    keys = {
        "one root key": signers["root"][:1] * 2,
        "the online keys": [signers[one][0] for one in ("targets", "snapshot", "timestamp")],
        "keys of their own": [CryptoSigner.generate_ed25519() for _ in range(3)],
        "nobody": [],
    }
    version = school.publish(without_pin)
    held = what_is_held(school)
    kinds = {one.kind: frozenset(one.subjects) for one in held.findings}
    release(school, keys[who], releases.Release(version, held.content, kinds, "evil"))
    before = school.in_force
    assert is_held(school)
    assert school.in_force == before


def test_control_without_the_root_anybody_releases(
    school: School, monkeypatch: pytest.MonkeyPatch
) -> None:
    version = school.publish(without_pin)
    held = what_is_held(school)
    kinds = {one.kind: frozenset(one.subjects) for one in held.findings}
    signers = school.publisher.signers["timestamp"]
    release(school, signers, releases.Release(version, held.content, kinds, "evil"))
    assert is_held(school)

    def anybody(content: bytes, _: Root) -> Any:
        return Metadata[Any].from_bytes(content).signed

    monkeypatch.setattr(releases, "verified", anybody)
    assert school.sync().version == version == school.in_force


def test_a_release_that_has_expired_releases_nothing(school: School) -> None:
    publisher = school.publisher
    version = school.publish(without_pin)
    held = what_is_held(school)
    kinds = {one.kind: frozenset(one.subjects) for one in held.findings}
    old = releases.signable(
        (releases.Release(version, held.content, kinds, "old"),),
        1,
        until(RELEASES, publisher.now - 181 * 86_400),
    )
    publisher.put(releases.FILE, signed(old, publisher.signers["root"]))
    assert is_held(school)


def ordered_and_held(folder: Path) -> None:
    without_pin(folder)
    an_order(f"{ORDERED}\n".encode())(folder)


def test_what_the_law_orders_comes_ahead_of_what_is_held(school: School) -> None:
    before = school.in_force
    assert not school.is_blocked(ORDERED)
    version = school.publish(ordered_and_held, urgent=True)
    assert is_held(school)
    assert school.is_blocked(ORDERED)
    assert not school.is_blocked(RETIRED)
    assert school.in_force == -version
    judgement = school.site.standing.read().judgement
    assert judgement is not None
    assert judgement["version"] == version  # that is what waits, and may be approved
    assert is_held(school)
    assert school.in_force == -version
    with school.site.holding():
        assert school.site.roll_back(say("{why}", why="a test")) == before
    assert not school.is_blocked(ORDERED)
    assert school.pupil.wrong_answers() == []


def test_orders_go_on_to_come_and_the_whole_follows_once_it_is_approved(school: School) -> None:
    school.publish(ordered_and_held)
    assert is_held(school)
    version = school.publish(both(without_pin, an_order(b"next.example\n")))
    assert is_held(school)
    assert (school.is_blocked(ORDERED), school.is_blocked("next.example")) == (False, True)
    with school.site.holding():
        assert school.site.approve(version, "a test")
    assert school.in_force == version
    assert school.is_blocked("next.example")
    assert school.pupil.wrong_answers() == []


def test_control_without_that_an_order_waits_behind_a_hold(
    school: School, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(syncing, "with_orders_of", lambda *_: None)
    before = school.in_force
    school.publish(ordered_and_held, urgent=True)
    assert is_held(school)
    assert school.in_force == before
    assert not school.is_blocked(ORDERED)


def recovered(school: School) -> tuple[int, int]:
    """Have an evil version come and go, signed by stolen keys; return it and what followed."""
    publisher = school.publisher
    evil = school.publish(add(GAMBLING, "evil.example"))
    school.sync()
    assert school.in_force == evil
    school.publish()
    for role in ("targets", "snapshot", "timestamp"):
        [old], new = publisher.signers[role], CryptoSigner.generate_ed25519()
        publisher.repository.rotate_key(role, old, new, publisher.signers, now=publisher.now)
        publisher.signers[role] = [new]
    good = school.publish(add(GAMBLING, "good.example"))
    school.sync()
    assert school.in_force == good
    return evil, good


def test_a_version_of_stolen_keys_is_no_way_back(school: School) -> None:
    evil, good = recovered(school)
    state = school.site.versions.in_force()
    assert (state.current, state.previous[0]) == (good, evil)
    assert version_of(school.index.with_name("index.previous.filterd")) is None
    with school.site.holding():
        assert school.site.roll_back(say("{why}", why="a test")) is None
    assert not school.is_blocked("evil.example")
    assert school.is_blocked("porn.blocked.filterd.example")
    with school.site.holding(), pytest.raises(GuardError, match=r"not at hand|withdrawn"):
        school.site.approve(evil, "by mistake")


def test_control_without_the_root_the_evil_version_is_the_way_back(
    school: School, monkeypatch: pytest.MonkeyPatch
) -> None:
    evil, _ = recovered(school)
    monkeypatch.setattr(TrustFolder, "trusts", lambda *_: True)
    with school.site.holding():
        assert school.site.roll_back(say("{why}", why="a test")) == evil
    assert school.is_blocked("evil.example")


def test_what_the_new_keys_have_signed_is_a_way_back(school: School) -> None:
    _, good = recovered(school)
    school.publish(add(GAMBLING, "better.example"))
    school.sync()
    with school.site.holding():
        assert school.site.roll_back(say("{why}", why="a test")) == good
    assert school.is_blocked("good.example")
