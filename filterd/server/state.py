# SPDX-License-Identifier: Apache-2.0
"""From the files on disk to a ``Site``: what a start and a reload have in common.

Whatever is damaged or missing is replaced by the last good copy, and that by
what can be made anew from what ships; only a machine without any of them stays
without a filter, and then without DNS (reliability.md §5).
"""

from __future__ import annotations

import contextlib
import logging
import os
import subprocess
import sys
from typing import TYPE_CHECKING

from filterd.clock import SystemClock
from filterd.errors import FilterdError, IndexFormatError, InUseError, StoreError
from filterd.lists.checked import checked_digests, note_checked
from filterd.lists.in_force import blocklists_to_compile_by
from filterd.lists.index import Index
from filterd.overrides import export as exported
from filterd.paths import sole
from filterd.policy import store
from filterd.policy.site.process import compile_in_child
from filterd.resolve.site import Site
from filterd.sentences import quoted, refused, say
from filterd.upstream import system

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from filterd.clock import Clock
    from filterd.identity import Surroundings
    from filterd.paths import StateFolder
    from filterd.policy.model import Policy
    from filterd.policy.overrides import Overrides
    from filterd.server.life import Setting
    from filterd.server.page import SharedPage

_BUILD_WITHIN_S = 600

_log = logging.getLogger("filterd.state")


@contextlib.contextmanager
def held(state: StateFolder) -> Iterator[None]:
    """Keep the state folder to this daemon: two would replace each other's policy unseen.

    On a disk that cannot be written nobody can replace anything either, and
    what is on it can still be served.

    Raises:
        InUseError: another daemon serves from it.
    """
    otherwise = say(
        "another filterd serves from this folder; stop it, or name another with --state"
    )
    with contextlib.ExitStack() as holding:
        try:
            holding.enter_context(sole(state.daemon_lock, otherwise=otherwise))
        except InUseError:
            raise
        except StoreError as error:
            log_error(error)
        yield


def compile_policy(config: Path, state: StateFolder) -> None:
    """Compile the site's YAML in a process of its own.

    Raises:
        ConfigErrors: the files are wrong; the compiled policy is untouched.
        StoreError: the disk refused.
    """
    compile_in_child(config, state.policy, blocklists=blocklists_to_compile_by(state).folder)


def load_site(
    config: Path,
    state: StateFolder,
    *,
    policy: Path | None = None,
    surroundings: Surroundings | None = None,
    page: SharedPage | None = None,
    now: float,
) -> Site:
    """Load the compiled policy and lists.

    Args:
        config: the folder of ``site.yaml``.
        state: what the daemon keeps.
        policy: the compiled policy, if not the one in force.
        surroundings: what is known of the network.
        page: says which index another process has verified already.
        now: Unix time.

    Raises:
        FilterdError: nothing usable is there and none could be made.
    """
    loaded = store.load(policy) if policy else _policy_in_force(config, state)
    index = open_index(config, state, page)
    servers = system.servers(loaded.upstreams, loaded.listen)
    return Site.of(loaded, index, servers, surroundings, _overrides_in_force(state), now)


def loader(setting: Setting, surroundings: Surroundings) -> Callable[..., Site]:
    """Return what loads a site for a process of this daemon: a policy file, or that in force."""

    def load(policy: Path | None = None) -> Site:
        return load_site(
            setting.config,
            setting.state,
            policy=policy,
            surroundings=surroundings,
            page=setting.page,
            now=setting.clock.wall(),
        )

    return load


def mend_overrides(state: StateFolder, clock: Clock) -> None:
    """Keep what is left of what commands have set, where neither store nor copy can be loaded.

    Anything less the manager mends while others serve; of this nobody could serve.
    """
    try:
        _overrides_in_force(state)
    except StoreError:
        from filterd.overrides.store import Store  # noqa: PLC0415 -- hardly ever

        Store(state, clock).start()


def _overrides_in_force(state: StateFolder) -> Overrides:
    """Load what commands have set: from the store itself, where the copy of it is damaged.

    Raises:
        StoreError: that is damaged, too.
    """
    try:
        return exported.load(state.exported_overrides)
    except StoreError as error:
        log_error(error)
    # The manager, which has SQLite anyway, writes the copy anew.
    from filterd.overrides.store import Store  # noqa: PLC0415 -- a worker needs it hardly ever

    return Store(state, SystemClock()).current()


def _policy_in_force(config: Path, state: StateFolder) -> Policy:
    """Load the compiled policy, or compile it anew where it is lost or damaged."""
    try:
        return store.load(state.policy)
    except StoreError as error:
        _log.warning("%s; doing that", error)
    compile_policy(config, state)
    return store.load(state.policy)


def open_index(config: Path, state: StateFolder, page: SharedPage | None) -> Index:
    """Open the compiled lists, or those before, and check them; compile them where there are none.

    Args:
        config: the folder of ``site.yaml``.
        state: where they are.
        page: says which index another process has verified already.

    Raises:
        FilterdError: none can be used and none could be made.
    """
    for path in (state.index, state.previous_index):
        try:
            return _verified(path, state.checked_indexes, page)
        except FileNotFoundError:
            continue
        except (IndexFormatError, OSError) as error:
            _log.error("%s; trying the one before", error)
    _log.warning("no compiled lists in %s: compiling those that are there", state.folder)
    _build_lists(config, state)
    try:
        return _verified(state.index, state.checked_indexes, page)
    except OSError as error:
        raise StoreError(
            say("{index}: cannot be read: {why}", index=state.index, why=refused(error))
        ) from error


def _verified(path: Path, record: Path, page: SharedPage | None) -> Index:
    """Open an index and check all of it, unless a process of this daemon has done so.

    A build may replace the file at any moment, and what is known of one file
    says nothing of another: where it changed meanwhile, this begins again.
    """
    while True:
        before = path.stat()
        index = Index.open(path)
        known = page is not None and page.is_verified(before)
        if not known:
            _verify(index, path, record)
        if os.path.samestat(path.stat(), before):
            break
    if page is not None and not known:
        page.note_verified(before)
    return index


def _verify(index: Index, path: Path, record: Path) -> None:
    sound = checked_digests(record)
    try:
        index.verify(sound=sound)
    except IndexFormatError as error:
        raise IndexFormatError(say("{path}: {error}", path=path, error=error.sentence)) from error
    if index.digest not in sound:
        with contextlib.suppress(StoreError):  # then the next start takes a little longer
            note_checked(record, index.digest)


def _build_lists(config: Path, state: StateFolder) -> None:
    """Compile all lists, or those that ship where the site's own are in the way."""
    places = ("--config", str(config), "--state", str(state.folder))
    try:
        _run_build(*places)
    except StoreError as error:
        log_error(error)
        _log.error("compiling only the lists that ship: those of the site are missing")
        _run_build(*places, "--shipped-only")


def _run_build(*options: str) -> None:
    """Compile lists as the command does, in a process that is gone afterwards.

    It must not tell the daemon, which is waiting for it.
    """
    command = [sys.executable, "-m", "filterd", "lists", "build", "--quiet", "--no-reload"]
    try:
        subprocess.run(  # noqa: S603 -- our own module, our own arguments
            [*command, *options],
            check=True,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            timeout=_BUILD_WITHIN_S,
            text=True,
        )
    except subprocess.CalledProcessError as error:
        status = say("exit status {status}", status=error.returncode)
        why = quoted(error.stderr.strip()) or status
        raise StoreError(say("the lists cannot be compiled: {why}", why=why)) from error
    except subprocess.TimeoutExpired as error:
        raise StoreError(
            say("the lists took too long to compile; try `filterd lists build`")
        ) from error


def log_error(error: FilterdError) -> None:
    """Log each line by itself: a log is read by line."""
    for line in str(error).splitlines():
        _log.error("%s", line)
