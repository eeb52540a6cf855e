# SPDX-License-Identifier: Apache-2.0

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from filterd.base.errors import ConfigErrors, FilterdError, IndexFormatError, StoreError
from filterd.daemon.manager import site_loader
from filterd.daemon.manager import site_loader as on_disk
from filterd.daemon.manager.site_loader import Unwritten, open_index
from filterd.daemon.shared_page import SharedOverrides, recall_overrides
from filterd.daemon.verified_indexes import VerifiedIndexes
from filterd.lists.index import Index
from filterd.lists.index_format import HEADER_OCTETS, IndexHeader
from filterd.overrides.history.store import Store
from filterd.policy import policy_file
from tests.support.bad_card import bad_pages
from tests.support.changes import an_exception
from tests.support.clock import FakeClock
from tests.support.daemon import build_lists, copy_lists
from tests.support.disk_fixtures import TIKTOK, break_site, built, config, damage, state
from tests.support.policies import NOW, a_policy

if TYPE_CHECKING:
    from pathlib import Path

    from filterd.base.state_folder import StateFolder

__all__ = ["built", "config", "state"]


def _damage_names(index: Path) -> None:
    """Damage an index where its names stand: opening reads header and contents only."""
    content = index.read_bytes()
    blocks = IndexHeader.parse(content[:HEADER_OCTETS], len(content)).spans["blocks"]
    damage(index, blocks.offset + blocks.length // 2)


def test_a_site_in_order_is_loaded_with_its_lists(config: Path, state: StateFolder) -> None:
    site = on_disk.load_site(config, state, now=NOW)
    assert site.policy.school == "Trường mẫu"
    assert site.index.lookup(TIKTOK)
    assert [server.port for server in site.route.servers] == [9]


def test_a_damaged_index_gives_way_to_the_one_before(
    config: Path, state: StateFolder, caplog: pytest.LogCaptureFixture
) -> None:
    state.previous_index.write_bytes(state.index.read_bytes())
    _damage_names(state.index)
    assert on_disk.load_site(config, state, now=NOW).index.lookup(TIKTOK)
    assert f"{state.index}: the index is damaged" in caplog.text
    assert "compiling those" not in caplog.text


@pytest.mark.usefixtures("needs_fuse")
def test_an_index_with_a_page_that_cannot_be_read_gives_way_to_the_one_before(
    config: Path, state: StateFolder, caplog: pytest.LogCaptureFixture
) -> None:
    state.previous_index.write_bytes(state.index.read_bytes())
    with bad_pages(state.index, [3]):
        assert on_disk.load_site(config, state, now=NOW).index.lookup(TIKTOK)
    assert f"{state.index}: cannot be read: Input/output error" in caplog.text
    assert "look after this disk" in caplog.text


@pytest.mark.usefixtures("needs_fuse")
def test_the_index_in_force_is_better_than_the_one_before(config: Path, state: StateFolder) -> None:
    indexes = VerifiedIndexes()
    indexes.in_force = on_disk.load_site(config, state, now=NOW).index
    state.previous_index.write_bytes(state.index.read_bytes())
    with bad_pages(state.index, [3]):
        site = on_disk.load_site(config, state, indexes=indexes, now=NOW)
    assert site.index is indexes.in_force


def test_what_the_compiler_has_checked_is_not_checked_again_at_the_start(
    config: Path, state: StateFolder, monkeypatch: pytest.MonkeyPatch
) -> None:
    known: list[bool] = []
    verify = Index.verify

    def noting(index: Index, *, sound: tuple[bytes, ...]) -> None:
        known.append(index.digest in sound)
        verify(index, sound=sound)

    monkeypatch.setattr(Index, "verify", noting)
    on_disk.load_site(config, state, now=NOW)  # a copy of the index alone: nothing is known of it
    on_disk.load_site(config, state, now=NOW)
    state.checked_indexes.unlink()
    monkeypatch.setattr(Index, "verify", verify)
    build_lists(config, state.folder)
    monkeypatch.setattr(Index, "verify", noting)
    on_disk.load_site(config, state, now=NOW)
    assert known == [False, True, True]


def test_an_index_is_served_where_its_check_cannot_be_remembered(
    config: Path, state: StateFolder
) -> None:
    state.checked_indexes.mkdir()
    assert on_disk.load_site(config, state, now=NOW).index.lookup(TIKTOK)


def test_an_index_that_is_gone_once_it_was_compiled_is_an_error_of_one_line(
    config: Path, state: StateFolder, monkeypatch: pytest.MonkeyPatch
) -> None:
    state.index.unlink()
    monkeypatch.setattr(on_disk, "_run_build", lambda *_, **__: b"")
    with pytest.raises(IndexFormatError, match=r"index\.filterd: is not an index"):
        on_disk.load_site(config, state, now=NOW)


def test_control_a_damaged_index_opens_when_it_is_not_verified(state: StateFolder) -> None:
    _damage_names(state.index)
    assert Index.open(state.index)


@pytest.mark.parametrize(
    "left", ["none", pytest.param("empty", marks=pytest.mark.long), "both damaged"]
)
def test_without_a_usable_index_the_lists_are_compiled(
    config: Path, state: StateFolder, left: str
) -> None:
    if left == "none":
        state.index.unlink()
    elif left == "empty":
        state.index.write_bytes(b"")
    else:
        _damage_names(state.index)
        state.previous_index.write_bytes(state.index.read_bytes())
    assert on_disk.load_site(config, state, now=NOW).index.lookup(TIKTOK)
    Index.open(state.index).verify()


def test_where_the_site_is_wrong_only_the_shipped_lists_are_compiled(
    config: Path, state: StateFolder, caplog: pytest.LogCaptureFixture
) -> None:
    break_site(config)
    state.index.unlink()
    index = on_disk.load_site(config, state, now=NOW).index
    assert index.lookup(TIKTOK)
    assert "site.yaml:2:10: listen" in caplog.text
    assert "compiling only the lists that ship" in caplog.text


def test_control_the_full_build_fails_where_the_site_is_wrong(
    config: Path, state: StateFolder
) -> None:
    break_site(config)
    with pytest.raises(FilterdError, match=r"the lists cannot be compiled: .*site\.yaml:2:10"):
        on_disk._run_build(config, state)


def test_a_build_that_takes_too_long_is_ended(
    config: Path, state: StateFolder, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(on_disk, "_BUILD_WITHIN_S", 0.0)
    with pytest.raises(StoreError, match="took too long to compile"):
        on_disk._build_lists(config, state)


def test_a_policy_that_is_damaged_while_the_daemon_serves_is_compiled_anew(
    config: Path, state: StateFolder, caplog: pytest.LogCaptureFixture
) -> None:
    damage(state.policy)
    assert on_disk.load_site(config, state, now=NOW).policy.school == "Trường mẫu"
    assert "damaged, its checksum is wrong; compile it again; doing that" in caplog.text
    assert policy_file.load(state.policy).school == "Trường mẫu"


def test_a_damaged_policy_beside_an_invalid_site_cannot_be_loaded(
    config: Path, state: StateFolder
) -> None:
    damage(state.policy)
    break_site(config)
    with pytest.raises(ConfigErrors, match=r"site\.yaml:2:10"):
        on_disk.load_site(config, state, now=NOW)


def test_what_this_start_has_compiled_is_better_than_a_second_copy(
    config: Path, state: StateFolder
) -> None:
    """The site may have changed since the copy; the disk refused what was compiled of it."""
    state.second_policy.write_bytes(state.policy.read_bytes())
    damage(state.policy)
    site = on_disk.load_site(
        config, state, unwritten=Unwritten(replace(a_policy(), school="A")), now=NOW
    )
    assert site.policy.school == "A"


def test_a_damaged_candidate_is_not_loaded(config: Path, state: StateFolder) -> None:
    state.candidate_policy.write_bytes(state.policy.read_bytes())
    damage(state.candidate_policy)
    with pytest.raises(StoreError, match="damaged"):
        on_disk.load_site(config, state, policy=state.candidate_policy, now=NOW)


def test_a_start_goes_on_where_what_commands_have_set_and_its_copy_are_damaged(
    config: Path, state: StateFolder
) -> None:
    Store(state, FakeClock()).change("exception", an_exception(), author="a", reason="abc")
    for path in (state.overrides, *state.overrides_copies):
        path.write_bytes(b"damaged")
    held = SharedOverrides()
    recall_overrides(state, FakeClock(), held)
    assert held.get() is not None
    site = on_disk.load_site(config, state, now=NOW)
    assert site.timed.overrides.exceptions == ()
    assert list(state.folder.glob(f"{state.overrides.name}.damaged-*-lost"))


def test_a_state_folder_is_for_one_daemon(state: StateFolder) -> None:
    with (
        on_disk.held(state),
        pytest.raises(StoreError, match="another filterd uses this folder"),
        on_disk.held(state),
    ):
        pass


@pytest.fixture
def state_second_copies(built: StateFolder, tmp_path: Path) -> StateFolder:
    made, indexes = copy_lists(built, tmp_path / "state"), VerifiedIndexes()
    policy_file.save(made.policy, a_policy())
    with indexes.kept():
        open_index(tmp_path, made, indexes, Unwritten())
        site_loader.keep_second_copies(made, indexes)
    return made


def test_what_is_gone_is_put_back(state_second_copies: StateFolder) -> None:
    policy, index = state_second_copies.policy.read_bytes(), state_second_copies.index.read_bytes()
    state_second_copies.policy.unlink()
    state_second_copies.index.unlink()
    site_loader.restore_files(state_second_copies)
    assert (state_second_copies.policy.read_bytes(), state_second_copies.index.read_bytes()) == (
        policy,
        index,
    )


def test_an_index_takes_no_second_room(state_second_copies: StateFolder) -> None:
    assert state_second_copies.index.samefile(state_second_copies.second_index)


def test_nothing_is_taken_of_what_is_damaged_or_not_verified(
    state_second_copies: StateFolder,
) -> None:
    policy, index = (
        state_second_copies.second_policy.read_bytes(),
        state_second_copies.second_index.read_bytes(),
    )
    for path in (state_second_copies.policy, state_second_copies.index):
        path.unlink()
        path.write_bytes(b"damaged")
    site_loader.keep_second_copies(state_second_copies, VerifiedIndexes())
    assert (
        state_second_copies.second_policy.read_bytes(),
        state_second_copies.second_index.read_bytes(),
    ) == (policy, index)


def test_what_is_there_stays(state_second_copies: StateFolder) -> None:
    state_second_copies.policy.write_bytes(b"another")
    site_loader.restore_files(state_second_copies)
    assert state_second_copies.policy.read_bytes() == b"another"


def test_where_nothing_was_kept_nothing_comes_back(state_second_copies: StateFolder) -> None:
    for path in (
        state_second_copies.policy,
        state_second_copies.second_policy,
        state_second_copies.index,
        state_second_copies.second_index,
    ):
        path.unlink()
    site_loader.restore_files(state_second_copies)
    assert not state_second_copies.policy.exists()
    assert not state_second_copies.index.exists()
