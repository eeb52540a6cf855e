# SPDX-License-Identifier: Apache-2.0
"""The policy and lists in force, as all processes have them: in sealed memory.

A *sealed site* is a policy and an index that were verified, under the epoch that puts them in
force, with the servers that the machine itself had then. The supervisor has the first one before
it forks; of each later one the manager sends descriptors to the supervisor and to every worker,
before it asks them to prepare it. So every process can take over what is in force from memory,
whatever becomes of the disk: one that begins has what the supervisor had at the fork, and what
waits in its socket.

```
manager ── hand_out ──> a socket of the supervisor, read before each fork
              '───────> a socket of each worker, read before it loads a site
```

Each process keeps two at most: the one in force, and the newest if that is not in force yet. What
none of them has or uses is freed.
"""

from __future__ import annotations

import json
import logging
import os
import socket
from pathlib import Path
from typing import TYPE_CHECKING
from weakref import ref

from filterd.base.errors import ControlError, StoreError
from filterd.base.sealed_memory import SealedMemory
from filterd.base.value_class import frozen
from filterd.daemon.shared_page import overrides_in_force
from filterd.lists.index import Index
from filterd.policy import policy_file
from filterd.resolve.site import Site
from filterd.texts.i18n import refused, say
from filterd.upstream import resolv_conf

if TYPE_CHECKING:
    from collections.abc import Iterator
    from weakref import ReferenceType

    from filterd.clients.network_view import Surroundings
    from filterd.daemon.process import Setting
    from filterd.daemon.shared_page import SharedPage
    from filterd.daemon.verified_indexes import FileMark
    from filterd.policy.model import Policy

_LARGEST = 512
"""Octets of a message beside the descriptors."""
_PLACE = Path("memory")
_logger = logging.getLogger("filterd.sealed_sites")


@frozen
class SealedSite:
    """A policy and an index in sealed memory.

    Attributes:
        epoch: the one that puts them in force.
        policy: a compiled policy, as in its file.
        index: the compiled lists, as in their file.
        mark: of the file that the index was read from; None if of none.
        system_servers: addresses, for which ``system`` stands in the policy.
    """

    epoch: int
    policy: SealedMemory
    index: SealedMemory
    mark: FileMark | None
    system_servers: tuple[str, ...] = ()


def seal(epoch: int, policy: Policy, index: Index, mark: FileMark | None) -> SealedSite:
    """Return a site that this process has loaded, in sealed memory.

    Raises:
        StoreError: there is no memory for it.
    """
    try:
        memory = SealedMemory.of(policy_file.dump(policy), "policy")
        return SealedSite(epoch, memory, index.memory, mark, resolv_conf.read_last())
    except OSError as error:
        raise StoreError(
            say(
                "there is no memory for the compiled policy: {why}; end other programs, or"
                " start filterd again",
                why=refused(error),
            )
        ) from error


class SealedSites:
    """The sealed sites of a process, and the sockets through which they come.

    Args:
        workers: how many may get some; the supervisor is one more.
    """

    def __init__(self, workers: int) -> None:
        self._sites: dict[int, SealedSite] = {}
        self._ports = [
            socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET) for _ in range(1 + workers)
        ]
        for end in (end for ends in self._ports for end in ends):
            end.setblocking(False)
        self._number = 0

    def be_worker(self, number: int) -> None:
        """Read from now on what comes for this worker: this process is not the supervisor."""
        self._number = number

    def add(self, site: SealedSite) -> None:
        """Take a site that this process has made."""
        self._sites[site.epoch] = site

    def hand_out(self, site: SealedSite) -> None:
        """Take a site, and send it to the supervisor and all workers.

        Raises:
            ControlError: it cannot be sent; then ``withdraw`` it.
        """
        self.add(site)
        descriptors = [site.policy.descriptor, site.index.descriptor]
        for sending, _ in self._ports:
            _send(sending, _message(site.epoch, site.mark, site.system_servers), descriptors)

    def withdraw(self, epoch: int) -> None:
        """Have no process keep a site that does not come in force."""
        self._sites.pop(epoch, None)
        for sending, _ in self._ports:
            try:
                _send(sending, _message(epoch, None), [])
            except ControlError as error:  # the next one replaces it there
                _logger.warning("%s", error)

    def receive(self) -> None:
        """Take what has come for this process. Never raises."""
        for octets, descriptors in self._messages():
            epoch, mark, servers = json.loads(octets)
            if not descriptors:
                self._sites.pop(epoch, None)
            elif epoch in self._sites or len(descriptors) != 2:  # it had it, or has no room
                for descriptor in descriptors:
                    os.close(descriptor)
            else:
                policy, index = map(SealedMemory, descriptors)
                marked = None if mark is None else tuple(mark)
                self._sites[epoch] = SealedSite(epoch, policy, index, marked, tuple(servers))

    def _messages(self) -> Iterator[tuple[bytes, list[int]]]:
        _, receiving = self._ports[self._number]
        while True:
            try:
                octets, descriptors, _, _ = socket.recv_fds(receiving, _LARGEST, 2)
            except OSError:  # there is no more
                return
            if not octets:
                return
            yield octets, descriptors

    def keep(self, in_force: int) -> None:
        """Let go of all but the site in force, and the newest."""
        newest = max(self._sites, default=in_force)
        self._sites = {
            epoch: site for epoch, site in self._sites.items() if epoch in (in_force, newest)
        }

    def follow(self, page: SharedPage) -> None:
        """Take what has come, and let go of what is not in force any more. Never raises."""
        in_force = page.site_epoch  # first: what it says was sent before
        self.receive()
        self.keep(in_force)

    def of(self, epoch: int) -> SealedSite:
        """Return the site of an epoch.

        Raises:
            StoreError: this process has none.
        """
        try:
            return self._sites[epoch]
        except KeyError:
            raise StoreError(
                say("the policy and lists in force have not reached this process; trying again")
            ) from None

    def close(self) -> None:
        """Close the sockets, as only tests do: a daemon ends with them."""
        for end in (end for ends in self._ports for end in ends):
            end.close()


class SealedSiteLoader:
    """Loads sealed sites; it reads no file.

    Args:
        setting: has the sites, the time and the overrides.
        surroundings: the facts of the network.
    """

    def __init__(self, setting: Setting, surroundings: Surroundings) -> None:
        self._setting, self._surroundings = setting, surroundings
        self._last: ReferenceType[Index] | None = None

    def __call__(self, epoch: int | None = None) -> Site:
        """Return the site of an epoch, by default the one in force.

        Raises:
            FilterdError: this process has not got it, or has no memory for it.
        """
        setting = self._setting
        in_force = setting.page.site_epoch
        setting.sites.follow(setting.page)
        sealed = setting.sites.of(in_force if epoch is None else epoch)
        policy = policy_file.parse(sealed.policy.map()[:], str(_PLACE))
        return Site.of(
            policy,
            self._index(sealed.index),
            resolv_conf.servers_with(policy.upstreams, policy.listen, sealed.system_servers),
            self._surroundings,
            overrides_in_force(setting),
            setting.time.wall(),
            setting.time.certain,
        )

    def _index(self, memory: SealedMemory) -> Index:
        """Return the index of this memory, the one that is in use if it is of the same."""
        last = None if self._last is None else self._last()
        if last is None or not last.memory.is_same(memory):
            last = Index.of(memory, _PLACE)
            self._last = ref(last)
        return last


def _send(sending: socket.socket, octets: bytes, descriptors: list[int]) -> None:
    try:
        socket.send_fds(sending, [octets], descriptors)
    except OSError as error:
        raise ControlError(
            say("a process of filterd cannot be reached: {why}", why=refused(error))
        ) from error


def _message(epoch: int, mark: FileMark | None, servers: tuple[str, ...] = ()) -> bytes:
    return json.dumps([epoch, mark, servers]).encode()
