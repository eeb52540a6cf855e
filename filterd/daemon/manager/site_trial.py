# SPDX-License-Identifier: Apache-2.0
"""Check a site against expectations: at a start, before a reload, or on request.

An expectation that the site in force fails may also fail in the next one: else no reload could
mend anything else.
"""

from __future__ import annotations

import asyncio
import logging
from typing import TYPE_CHECKING, Any

from filterd.base.errors import to_plain
from filterd.base.process_memory import give_back
from filterd.daemon.manager import site_policy
from filterd.resolve import expectation_checks
from filterd.resolve.expectation_checks import doubts

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence
    from pathlib import Path

    from filterd.base.errors import ConfigError
    from filterd.daemon.process import Setting
    from filterd.policy.model import Expectation
    from filterd.resolve.expectation_checks import Unmet
    from filterd.resolve.site import Site
_logger = logging.getLogger("filterd.manager")


class SiteTrial:
    """The expectations that are not met, and sites that are checked against them.

    Args:
        setting: the folders and clocks of the daemon.
        load: returns the site of a compiled policy.

    Attributes:
        doubts: about the site in force, as plain data.
    """

    def __init__(self, setting: Setting, load: Callable[[Path], Site]) -> None:
        self._setting, self._load, self._time = setting, load, setting.time
        self._trying = asyncio.Lock()
        self._unmet: tuple[Unmet, ...] = ()
        self.doubts: tuple[dict[str, Any], ...] = ()

    def begin(self, site: Site) -> None:
        """Find the expectations that the site of a start fails, and log them."""
        now = self._time.least()
        self._unmet = expectation_checks.unmet(site, site.timed.policy.expectations, now)
        doubted = doubts(site, self._unmet, now)
        for error in doubted:
            _logger.warning("%s", error)
        self.doubts = tuple(map(to_plain, doubted))

    async def check(self, site: Site) -> tuple[tuple[Unmet, ...], tuple[ConfigError, ...]]:
        """Return the expectations that a site fails, as the one in force does, and doubts.

        Raises:
            ConfigErrors: it fails others.
        """
        known, now = {one.expectation.written for one in self._unmet}, self._time.least()
        unmet = await asyncio.to_thread(expectation_checks.check, site, now, known=known)
        return unmet, await asyncio.to_thread(doubts, site, unmet, now)

    def accept(self, unmet: tuple[Unmet, ...], doubted: Iterable[ConfigError]) -> None:
        """Take what was found of the site that is in force now."""
        self._unmet, self.doubts = unmet, tuple(map(to_plain, doubted))

    async def hold(self, wanted: Sequence[Expectation] | None) -> dict[str, Any]:
        """Check the site's present files, with the compiled lists, against expectations.

        It activates nothing, and only equal requests wait for it.

        Args:
            wanted: the expectations; None for those that a reload checks.

        Returns: see ``expectation_checks.held``.

        Raises:
            FilterdError: the files are wrong, or the disk refused.
        """
        async with self._trying:
            policy = await asyncio.to_thread(site_policy.tried, self._setting)
            site = await asyncio.to_thread(self._load, policy)
            now = self._time.least()
            outcomes = await asyncio.to_thread(expectation_checks.held, site, wanted, now)
        del site
        give_back()
        return outcomes

    async def judge(self, policy: Path) -> tuple[dict[str, Any], ...]:
        """Check a compiled policy as a reload does, and activate nothing.

        Returns: doubts that would not prevent a reload, as plain data.

        Raises:
            ConfigErrors: expectations that a reload would refuse it for.
        """
        async with self._trying:
            site = await asyncio.to_thread(self._load, policy)
            _, doubted = await self.check(site)
        del site
        give_back()
        return tuple(map(to_plain, doubted))
