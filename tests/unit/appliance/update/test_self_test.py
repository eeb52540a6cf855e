# SPDX-License-Identifier: Apache-2.0
"""The self-test: a release that does not fit is refused, and the state stays as it was."""

from __future__ import annotations

import os
import shutil
from dataclasses import replace
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

import pytest

from filterd.appliance.doctor import resolver_probes
from filterd.appliance.update import self_test
from filterd.base import bounded_child, native
from filterd.base.clock import SystemClock
from filterd.base.errors import ConfigErrors, StoreError
from filterd.base.state_folder import StateFolder
from filterd.lists.index_files import checked_digests
from filterd.overrides.history import snapshot
from filterd.overrides.history.store import Store
from filterd.policy import policy_file
from filterd.resolve.site import Site
from tests.support.changes import an_exception
from tests.support.daemon import build_lists, confirm_the_time, free_port, write_site

if TYPE_CHECKING:
    from pathlib import Path

    from filterd.policy.model import Policy


@pytest.fixture(scope="module")
def lists(tmp_path_factory: pytest.TempPathFactory) -> StateFolder:
    folder = tmp_path_factory.mktemp("self-test")
    return build_lists(write_site(folder / "site", port=free_port()), folder / "state")


@pytest.fixture
def gateway(lists: StateFolder, tmp_path: Path) -> tuple[Path, StateFolder]:
    shutil.copytree(lists.folder, tmp_path / "state")
    return write_site(tmp_path / "site", port=53), StateFolder(tmp_path / "state")


def _content(folder: Path) -> dict[str, tuple[bytes, float]]:
    files = (one for one in folder.rglob("*") if one.is_file() and one.name != "index.checked")
    return {str(file): (file.read_bytes(), file.stat().st_mtime) for file in files}


@pytest.fixture(autouse=True)
def patient(monkeypatch: pytest.MonkeyPatch) -> None:
    """Bound no answer by seconds of a machine that is at work on other tests."""
    monkeypatch.setattr(self_test, "_ASK_WITHIN_S", 60.0)
    monkeypatch.setattr(resolver_probes, "ANSWER_WITHIN_S", 60.0)


def test_a_release_that_fits_answers_and_blocks_and_changes_nothing(
    gateway: tuple[Path, StateFolder],
) -> None:
    """What a killed test has left is in no way; the check of the lists is recorded."""
    config, state = gateway
    state.checked_indexes.unlink(missing_ok=True)
    before = _content(state.folder)
    state.self_test.mkdir()
    os.link(state.index, state.self_test / "index.filterd")
    assert self_test.run(config, state).categories >= 20
    assert _content(state.folder) == before
    assert not state.self_test.exists()
    assert checked_digests(state.checked_indexes)


def test_a_site_that_the_release_does_not_accept_is_named_with_its_place(
    gateway: tuple[Path, StateFolder],
) -> None:
    config, state = gateway
    (config / "site.yaml").write_text("nonsense: 1\n", encoding="utf-8")
    with pytest.raises(ConfigErrors, match=r"site.yaml:1:1"):
        self_test.run(config, state)
    assert not state.self_test.exists()


@pytest.mark.long
def test_damaged_lists_are_not_served_by_a_release_that_was_tested(
    gateway: tuple[Path, StateFolder],
) -> None:
    """The daemon of the trial compiles the lists that ship, as the real one would."""
    config, state = gateway
    state.index.write_bytes(b"damaged")
    assert self_test.run(config, state).categories >= 20


@pytest.fixture
def opened(monkeypatch: pytest.MonkeyPatch) -> None:
    """Have the release open a locked category, by a defect."""
    save = policy_file.save

    def wrong(path: Path, policy: Policy) -> None:
        grades = {
            key: replace(grade, closed=grade.closed - {"porn"})
            for key, grade in policy.grades.items()
        }
        porn = replace(policy.categories["porn"], locked=False)
        save(path, replace(policy, grades=grades, categories={**policy.categories, "porn": porn}))

    monkeypatch.setattr(policy_file, "save", wrong)


@pytest.mark.usefixtures("opened")
def test_a_release_that_opens_a_locked_category_is_refused(
    gateway: tuple[Path, StateFolder],
) -> None:
    with pytest.raises(StoreError, match="listed name of 'porn' is not blocked for"):
        self_test.run(*gateway)


@pytest.mark.usefixtures("opened")
def test_control_by_its_own_policy_a_release_that_opens_a_locked_category_passes(
    gateway: tuple[Path, StateFolder], monkeypatch: pytest.MonkeyPatch
) -> None:
    """What must be blocked is worked out from the site, not from what the daemon serves."""
    served = StateFolder(gateway[1].self_test).policy

    def of(_: Policy, *more: Any) -> Site:
        return Site.of(policy_file.load(served), *more)

    monkeypatch.setattr(self_test, "Site", SimpleNamespace(of=of))
    assert self_test.run(*gateway).categories >= 20


@pytest.fixture
def lent(gateway: tuple[Path, StateFolder]) -> tuple[Path, StateFolder]:
    """Open a category to one tier, by a command of the school; it has begun by a known time."""
    confirm_the_time(gateway[1])
    store = Store(gateway[1], SystemClock())
    store.start()
    opened = an_exception(
        target_kind="category", target="games", audience="tier", whom="primary", ends_at=None
    )
    store.change("exception", opened, author="lan", reason="câu lạc bộ")
    return gateway


def test_what_the_school_opens_by_command_is_no_fault_of_a_release(
    lent: tuple[Path, StateFolder],
) -> None:
    assert self_test.run(*lent).categories >= 20


def test_control_without_what_commands_have_set_such_a_release_is_refused(
    lent: tuple[Path, StateFolder], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(snapshot, "newest", lambda _: None)
    with pytest.raises(StoreError, match="'games' is not blocked for primary"):
        self_test.run(*lent)


def test_a_native_module_that_cannot_be_loaded_is_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    package = tmp_path / "filterd"
    package.mkdir()
    (package / "_broken.cpython-311-x86_64-linux-gnu.so").write_bytes(b"\x7fELF of another machine")
    monkeypatch.setattr(native, "__file__", str(package / "base" / "native.py"))
    with pytest.raises(StoreError, match=r"filterd\._broken cannot be loaded on this machine"):
        self_test.check_native_modules()


def test_a_daemon_that_does_not_start_is_a_reason(
    gateway: tuple[Path, StateFolder], monkeypatch: pytest.MonkeyPatch
) -> None:
    config, state = gateway
    monkeypatch.setattr(bounded_child, "bounded_command", lambda *_: ["/bin/false"])
    with pytest.raises(StoreError, match="its daemon does not start"):
        self_test.run(config, state)
