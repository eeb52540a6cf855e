# SPDX-License-Identifier: Apache-2.0
"""Activate a policy and lists in all processes of the daemon, or in none.

The manager loads them from the disk and hands them out in sealed memory (``sealed_sites``); each
worker prepares them beside what is in force. Then the compiled policy is renamed into place, and
the epoch moved, which is the commit. A manager whose predecessor died in between activates the
policy that is in place.
"""

from __future__ import annotations

import asyncio
import logging
from typing import TYPE_CHECKING, Protocol

from filterd.base.errors import FilterdError, StoreError
from filterd.daemon.manager import site_loader as on_disk
from filterd.daemon.manager.site_policy import install_policy
from filterd.daemon.sealed_sites import SealedSiteLoader, seal
from filterd.daemon.verified_indexes import VerifiedIndexes
from filterd.policy import policy_file

if TYPE_CHECKING:
    from pathlib import Path

    from filterd.clients.network_view import Surroundings
    from filterd.daemon.process import Setting
    from filterd.resolve.site import Site

_logger = logging.getLogger("filterd.manager")


class TellAll(Protocol):
    """Asks every worker, and fails with the first that fails."""

    async def __call__(self, what: str, /, *, epoch: int) -> None:
        """Ask."""


class SiteActivation:
    """Loads sites for the manager, and activates them.

    Args:
        setting: the folders, clocks and shared memory of the daemon.
        surroundings: the facts of the network.
        tell_all: asks the workers.
    """

    def __init__(self, setting: Setting, surroundings: Surroundings, tell_all: TellAll) -> None:
        self._setting, self._tell_all = setting, tell_all
        self._indexes = VerifiedIndexes()
        self.load = on_disk.loader(setting, surroundings, self._indexes)
        """Loads a policy file, or the policy in place, with the compiled lists."""
        self._load_in_force = SealedSiteLoader(setting, surroundings)

    async def begin(self) -> Site:
        """Return the site in force.

        Raises:
            FilterdError: it cannot be loaded.
        """
        site = await asyncio.to_thread(self._load_in_force)
        self._note_index(site)
        return site

    async def decide(self, site: Site) -> Site:
        """Activate what a predecessor has left in place and not activated.

        Its last step before was to rename the policy into place, when all workers had prepared it.

        Args:
            site: the one in force.

        Returns:
            The one in force now.
        """
        page = self._setting.page
        epoch = page.next_epoch()
        try:
            left = await asyncio.to_thread(self._left_in_place, site)
            if left is not None:
                await self._prepare(epoch, left)
                self._put_in_force(epoch, left)
                return left
        except FilterdError as error:
            self._setting.sites.withdraw(epoch)
            _logger.error("%s; what was in force stays", error)
        page.epoch = epoch  # workers load what commands have set
        return site

    async def activate(self, site: Site, policy: Path) -> int:
        """Activate a site in every worker.

        Args:
            site: the next one, as all workers can load it.
            policy: its file, which takes the place of the policy in force.

        Returns:
            The epoch; a worker that does not confirm it has not activated it yet.

        Raises:
            FilterdError: the site before stays in force.
        """
        epoch = self._setting.page.next_epoch()
        try:
            await self._prepare(epoch, site)
            install_policy(policy, self._setting.state.policy)
        except BaseException:
            self._setting.sites.withdraw(epoch)
            raise
        self._put_in_force(epoch, site)
        return epoch

    async def keep_second_copies(self) -> None:
        """Make second copies of the files in force; the caller prevents reloads meanwhile."""
        state = self._setting.state
        await asyncio.to_thread(on_disk.keep_second_copies, state, self._indexes)

    async def _prepare(self, epoch: int, site: Site) -> None:
        mark = self._indexes.mark_of(site.index)
        sealed = await asyncio.to_thread(seal, epoch, site.timed.policy, site.index, mark)
        self._setting.sites.hand_out(sealed)
        await self._tell_all("prepare", epoch=epoch)

    def _put_in_force(self, epoch: int, site: Site) -> None:
        page = self._setting.page
        page.site_epoch = epoch  # first: a worker that begins in between takes over the new one
        page.epoch = epoch
        self._setting.sites.keep(epoch)
        self._note_index(site)

    def _note_index(self, site: Site) -> None:
        """Keep the index in force from being read again."""
        sealed = self._setting.sites.of(self._setting.page.site_epoch)
        self._indexes.in_force = site.index
        if sealed.mark is not None:
            self._indexes.note(site.index, sealed.mark)

    def _left_in_place(self, site: Site) -> Site | None:
        """Return the site of the policy in place, if that is not the one in force."""
        try:
            policy = policy_file.load(self._setting.state.policy)
        except StoreError:  # then this one is not in place
            return None
        return None if policy == site.timed.policy else self.load()
