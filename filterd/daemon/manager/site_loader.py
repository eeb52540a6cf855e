# SPDX-License-Identifier: Apache-2.0
"""Load a ``Site`` from the files on the disk, at a start and at a reload.

A damaged or missing file is replaced by the last good copy, and that by a new file made
of the shipped ones; only a machine without any of them stays without a filter, and then
without DNS.

The supervisor loads it at a start, and the manager for a reload; all processes then share it in
memory (``sealed_sites``).

While the daemon runs, the active policy has a second copy, and the index a second name.
Both could be made anew, but not at once, and ``site.yaml`` may be wrong by then; the index
before does not list what has been listed since. An index is replaced by renaming and never
changed in place, so a second name takes no room; it does not help against damage.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import os
from dataclasses import dataclass
from typing import TYPE_CHECKING

from filterd.base import bounded_child
from filterd.base.errors import ConfigErrors, FilterdError, IndexFormatError, InUseError, StoreError
from filterd.base.paths import (
    is_plain,
    move_away,
    read_plain,
    replacing,
    sole,
    takes_files,
    write_atomically,
)
from filterd.base.sealed_memory import SealedMemory
from filterd.base.state_file import MOST_OCTETS
from filterd.config.compile_run import compile_in_child, compile_in_memory
from filterd.daemon.shared_page import overrides_in_force
from filterd.daemon.verified_indexes import VerifiedIndexes
from filterd.lists.index import Index
from filterd.lists.index_files import (
    blocklists_to_compile_by,
    facts_of,
    install_index,
)
from filterd.overrides.changes.effects import NOTHING
from filterd.policy import policy_file
from filterd.policy.unknown_time import Certainty
from filterd.resolve.site import Site
from filterd.texts.i18n import UNSAID, refused, say
from filterd.upstream import resolv_conf

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from filterd.base.state_folder import StateFolder
    from filterd.clients.network_view import Surroundings
    from filterd.daemon.process import Setting
    from filterd.policy.model import Policy
    from filterd.policy.temporary_rules import Overrides

_BUILDS = "filterd.feed.index_build"
_BUILD_WITHIN_S = 600
_MOST_INDEX_OCTETS = 1 << 30
"""More than any index; it comes this way only where the disk does not take it."""
_logger = logging.getLogger("filterd.site_loader")

_WRITE_AGAIN_S = 5.0
_LOOK_EVERY_S = 2.0


@contextlib.contextmanager
def held(state: StateFolder) -> Iterator[None]:
    """Lock the state folder for this daemon.

    Two daemons would replace each other's policy unseen. On a disk that cannot be written no
    other daemon can replace anything either, and its files can still be served.

    Raises:
        InUseError: another daemon serves from it.
    """
    otherwise = say(
        "another filterd uses this folder; stop it, or give another folder with --state"
    )
    clear(state)
    with contextlib.ExitStack() as holding:
        try:
            holding.enter_context(sole(state.daemon_lock, otherwise=otherwise))
        except InUseError:
            raise
        except StoreError as error:
            log_error(error)
        yield


def clear(state: StateFolder) -> None:
    """Move away anything in the place of a file: a folder, a pipe, a socket, a device.

    Nothing can be renamed over a folder, and others would be waited for. A link stays:
    what is read follows it, and what is written replaces it.
    """
    for path in (*state.files, state.control_socket):
        try:
            is_left = path == state.control_socket and path.is_socket()  # by a daemon that died
            if not (is_plain(path) or path.is_symlink() or is_left):
                move_away(path)
                _logger.error("%s: was not a plain file; it was moved away", path)
        except NotADirectoryError:  # the state folder is none
            return
        except OSError as error:
            _logger.error("%s: cannot be moved out of the way: %s", path, refused(error))
            return


def compile_policy(config: Path, state: StateFolder) -> None:
    """Compile the site's YAML in a process of its own.

    Raises:
        ConfigErrors: the files are wrong; the compiled policy is untouched.
        StoreError: the disk refused.
    """
    compile_in_child(config, state.policy, blocklists=blocklists_to_compile_by(state).folder)


def load_site(  # noqa: PLR0913 -- the parts of a site
    config: Path,
    state: StateFolder,
    *,
    policy: Path | None = None,
    surroundings: Surroundings | None = None,
    indexes: VerifiedIndexes | None = None,
    overrides: Overrides = NOTHING,
    unwritten: Unwritten | None = None,
    now: float,
    certain: Callable[[], Certainty] = Certainty,
) -> Site:
    """Load the compiled policy and lists.

    Args:
        config: the folder of ``site.yaml``.
        state: what the daemon keeps.
        policy: the compiled policy, if not the one in force.
        surroundings: the facts of the network.
        indexes: those that this process uses already.
        overrides: the rules set by commands.
        unwritten: files that the disk has not taken, used if it has no usable ones.
        now: policy time.
        certain: returns what is certain about it while it is not confirmed.

    Raises:
        FilterdError: there is nothing usable and none could be made.
    """
    unwritten = unwritten or Unwritten()
    loaded = policy_file.load(policy) if policy else _policy_in_force(config, state, unwritten)
    index = open_index(config, state, indexes or VerifiedIndexes(), unwritten)
    servers = resolv_conf.servers(loaded.upstreams, loaded.listen)
    return Site.of(loaded, index, servers, surroundings, overrides, now, certain)


def loader(
    setting: Setting, surroundings: Surroundings, indexes: VerifiedIndexes
) -> Callable[..., Site]:
    """Return the loader of the manager: of a policy file, or of the active policy."""

    def load(policy: Path | None = None) -> Site:
        return load_site(
            setting.config,
            setting.state,
            policy=policy,
            surroundings=surroundings,
            indexes=indexes,
            overrides=overrides_in_force(setting),
            unwritten=setting.unwritten,
            now=setting.time.wall(),
            certain=setting.time.certain,
        )

    return load


def _policy_in_force(config: Path, state: StateFolder, unwritten: Unwritten) -> Policy:
    """Load the compiled policy, or compile it anew where it is lost or damaged."""
    try:
        return policy_file.load(state.policy)
    except StoreError as error:
        if unwritten.policy is not None:  # of the present files, which the second copy may not be
            return unwritten.policy
        with contextlib.suppress(StoreError):
            return policy_file.load(state.second_policy)
        _logger.warning("%s; doing that", error)
    try:
        compile_policy(config, state)
        return policy_file.load(state.policy)
    except FilterdError as error:
        policy = compile_unwritten(config, state, error)
        unwritten.hold_policy(state, policy, error)
        return policy


def open_index(
    config: Path, state: StateFolder, indexes: VerifiedIndexes, unwritten: Unwritten
) -> Index:
    """Read and check the compiled lists, or those before.

    Compile the lists where there are none.

    Args:
        config: the folder of ``site.yaml``.
        state: their folder.
        indexes: those that this process uses already.
        unwritten: takes files that the disk does not take.

    Raises:
        FilterdError: none can be used and none could be made.
    """
    for path in (state.index, state.second_index, None, state.previous_index):
        if path is None:
            if indexes.in_force is not None:
                return indexes.in_force
            continue
        try:
            return indexes.open(path, state.checked_indexes)
        except FileNotFoundError:
            continue
        except IndexFormatError as error:
            _logger.error("%s; trying the one before", error)
        except OSError as error:
            _logger.error(
                "%s: cannot be read: %s; trying the one before; look after this disk",
                path,
                refused(error),
            )
    if unwritten.index is not None:
        return unwritten.index
    _logger.warning("no compiled lists in %s: compiling those that are there", state.folder)
    try:
        _build_lists(config, state)
        return indexes.open(state.index, state.checked_indexes)
    except (FilterdError, OSError) as error:
        return unwritten.compile_index(config, state, error)


def _build_lists(config: Path, state: StateFolder, *, is_streamed: bool = False) -> bytes:
    """Compile all lists, or those that ship where the site's own are in the way."""
    try:
        return _run_build(config, state, is_streamed=is_streamed)
    except FilterdError as error:
        if not takes_files(state.folder) and not is_streamed:
            raise
        log_error(error)
        _logger.error("compiling only the lists that ship: those of the site are missing")
        return _run_build(config, state, shipped_only=True, is_streamed=is_streamed)


def _run_build(
    config: Path, state: StateFolder, *, shipped_only: bool = False, is_streamed: bool = False
) -> bytes:
    """Compile lists in a process that ends; return its output.

    Raises:
        FilterdError: they cannot be compiled.
    """
    request = {
        "config": str(config),
        "state": str(state.folder),
        "shipped_only": shipped_only,
        "is_streamed": is_streamed,
    }
    return bounded_child.ask(
        _BUILDS,
        request,
        say("the lists cannot be compiled: {why}"),
        say("the lists took too long to compile; try `filterd lists build`"),
        limit_s=_BUILD_WITHIN_S,
        most_octets=_MOST_INDEX_OCTETS,
        given=bounded_child.environment(**os.environ),
    )


@dataclass(slots=True)
class Unwritten:
    """Policy and lists that a start has compiled into memory, because the disk failed.

    Children have it by being forked. A usable file on the disk counts before it.
    """

    policy: Policy | None = None
    index: Index | None = None

    def hold_policy(self, state: StateFolder, policy: Policy, refused: FilterdError) -> None:
        """Hold a policy that could not be written or read."""
        log_error(refused)
        _logger.error(
            "%s: the policy is in memory only, until the disk can be written", state.folder
        )
        self.policy = policy

    def compile_index(self, config: Path, state: StateFolder, refused: Exception) -> Index:
        """Compile the lists into memory.

        Raises:
            FilterdError: they cannot be compiled at all.
        """
        _logger.error("%s", refused)
        octets = _build_lists(config, state, is_streamed=True)
        index = Index.of(SealedMemory.of(octets, "index"), state.index)
        index.verify()
        _logger.error(
            "%s: the lists are in memory only, until the disk can be written", state.folder
        )
        self.index = index
        return index

    def write(self, state: StateFolder) -> None:
        """Write the files if the disk takes them now; forget those that are usable there.

        Raises:
            StoreError: it does not take it yet.
        """
        if self.index is not None:
            if not _is_usable(state.index):
                self._write_index(state, self.index)
            self.index = None
        if self.policy is not None:
            try:
                policy_file.load(state.policy)
            except StoreError:
                policy_file.save(state.policy, self.policy)
            self.policy = None

    @property
    def parts(self) -> tuple[str, ...]:
        """The parts that are in memory only."""
        held = (("policy", self.policy), ("lists", self.index))
        return tuple(name for name, part in held if part is not None)

    def doubts(self, state: StateFolder) -> tuple[StoreError, ...]:
        """Return an error if an active part is on no disk."""
        if not self.parts:
            return ()
        sentence = say(
            "{folder}: the disk cannot be written, so the policy or the lists in force are in"
            " memory only; free some space, or repair the disk",
            folder=state.folder,
        )
        return (StoreError(sentence),)

    def _write_index(self, state: StateFolder, index: Index) -> None:
        with sole(state.build_lock, otherwise=say("another build is running")):
            with replacing(state.fresh_index, index.content) as put:
                put()
            install_index(state)


def compile_unwritten(config: Path, state: StateFolder, refused: FilterdError) -> Policy:
    """Compile the site into memory, if the disk is the cause of an error.

    Raises:
        FilterdError: it is not, or the site is wrong.
    """
    if not isinstance(refused, StoreError) and takes_files(state.folder):
        raise refused
    return compile_in_memory(config, blocklists_to_compile_by(state).folder)


def _is_usable(index: Path) -> bool:
    try:
        facts_of(index)
    except (IndexFormatError, OSError):
        return False
    return True


def log_error(error: FilterdError) -> None:
    """Log each problem of an error as a line of its own."""
    for one in error.errors if isinstance(error, ConfigErrors) else (error,):
        _logger.error("%s", one)


def keep_second_copies(state: StateFolder, indexes: VerifiedIndexes) -> None:
    """Make second copies of the active files, if they are sound. Never raises.

    The caller prevents reloads meanwhile.

    Args:
        state: the folder of the files.
        indexes: have the one that was verified.
    """
    with contextlib.suppress(OSError, StoreError):
        content = read_plain(state.policy, MOST_OCTETS)
        if not _holds(state.second_policy, content):
            policy_file.parse(content, str(state.policy))
            write_atomically(state.second_policy, content)
    with contextlib.suppress(OSError):  # a disk without links goes without
        if not indexes.has(state.index.stat()):
            return
        temporary = state.second_index.with_name(f".{state.second_index.name}.tmp")
        temporary.unlink(missing_ok=True)
        os.link(state.index, temporary, follow_symlinks=False)
        temporary.replace(state.second_index)
        temporary.unlink(missing_ok=True)  # two names of one file: renaming did nothing


async def watch_files(state: StateFolder, turn: asyncio.Lock) -> None:
    """Restore lost files, for ever; ``turn`` excludes reloads meanwhile."""
    while True:
        async with turn:
            await asyncio.to_thread(restore_files, state)
        await asyncio.sleep(_LOOK_EVERY_S)


async def write_later(unwritten: Unwritten, state: StateFolder, turn: asyncio.Lock) -> None:
    """Write the files that a start could not write, as soon as the disk takes them.

    Args:
        unwritten: the files, in memory.
        state: where they belong.
        turn: excludes reloads meanwhile.
    """
    logged = UNSAID
    while unwritten.parts:
        try:
            async with turn:
                await asyncio.to_thread(unwritten.write, state)
            _logger.warning(
                "%s: can be written again; what was in memory is stored now", state.folder
            )
        except StoreError as error:
            if error.sentence != logged:
                _logger.error("%s; trying again", error)
            logged = error.sentence
            await asyncio.sleep(_WRITE_AGAIN_S)


def restore_files(state: StateFolder) -> None:
    """Restore lost files. Never raises."""
    if not os.path.lexists(state.policy):
        with contextlib.suppress(OSError, StoreError):
            write_atomically(state.policy, read_plain(state.second_policy, MOST_OCTETS))
    if not os.path.lexists(state.index):
        with contextlib.suppress(OSError):
            os.link(state.second_index, state.index, follow_symlinks=False)


def _holds(path: Path, content: bytes) -> bool:
    try:
        return read_plain(path, MOST_OCTETS) == content
    except OSError:
        return False
