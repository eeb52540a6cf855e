# SPDX-License-Identifier: Apache-2.0
"""Policy and lists are in the memory of every process, and in no more of it than needed."""

from __future__ import annotations

import contextlib
import os
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from filterd.base.errors import ControlError, StoreError
from filterd.base.sealed_memory import SealedMemory
from filterd.daemon.sealed_sites import SealedSite, SealedSites, seal
from filterd.daemon.shared_page import SharedPage
from filterd.policy import policy_file
from tests.support.indexes import a_list, compiled
from tests.support.policies import a_policy

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from filterd.lists.index import Index

MARK = (1, 2, 3, 4)
SERVERS = tuple(f"fe80::1234:5678:9abc:def{number}%{'i' * 15}" for number in range(3))


@pytest.fixture
def index(tmp_path: Path) -> Index:
    return compiled(tmp_path, a_list(tmp_path, "bad.com\n")).index


@pytest.fixture
def sites() -> Iterator[SealedSites]:
    with contextlib.closing(SealedSites(2)) as sites:
        yield sites


def _site(epoch: int) -> SealedSite:
    octets = b"policy %d" % epoch
    return SealedSite(
        epoch, SealedMemory.of(octets, "policy"), SealedMemory.of(b"lists", "index"), MARK, SERVERS
    )


def _forked(sites: SealedSites, number: int, page: SharedPage, epoch: int) -> bytes:
    """Return what a worker has that is forked now: the octets of its policy."""
    reads, writes = os.pipe()
    if not os.fork():
        with contextlib.suppress(BaseException):
            sites.be_worker(number)
            sites.follow(page)
            os.write(writes, sites.of(epoch).policy.map()[:])
        os._exit(0)
    os.close(writes)
    os.wait()
    with open(reads, "rb") as file:  # noqa: PTH123 -- a descriptor
        return file.read()


def _open_descriptors() -> int:
    return len(os.listdir("/proc/self/fd"))  # noqa: PTH208 -- of the kernel


def test_a_site_is_sealed_with_the_octets_of_its_file(index: Index) -> None:
    policy = a_policy()
    sealed = seal(7, policy, index, MARK)
    assert policy_file.parse(sealed.policy.map()[:], "memory") == policy
    assert sealed.index is index.memory
    assert (sealed.epoch, sealed.mark) == (7, MARK)


def test_a_process_has_what_was_in_force_when_it_was_forked(sites: SealedSites) -> None:
    sites.add(_site(0))
    assert _forked(sites, 1, SharedPage(), 0) == b"policy 0"


def test_what_is_handed_out_waits_for_a_worker_that_was_forked_before(sites: SealedSites) -> None:
    page = SharedPage()
    sites.add(_site(0))
    ready, go = os.pipe(), os.pipe()
    if not os.fork():
        with contextlib.suppress(BaseException):
            os.read(go[0], 1)
            sites.be_worker(2)
            sites.follow(page)
            os.write(ready[1], sites.of(5).policy.map()[:])
        os._exit(0)
    sites.hand_out(_site(5))
    page.site_epoch = 5
    os.write(go[1], b"x")
    os.wait()
    assert os.read(ready[0], 20) == b"policy 5"
    for end in (*ready, *go):
        os.close(end)


def test_the_supervisor_gets_what_the_manager_hands_out_and_gives_it_to_the_next(
    sites: SealedSites,
) -> None:
    page = SharedPage()
    sites.add(_site(0))
    if not os.fork():
        with contextlib.suppress(BaseException):
            sites.hand_out(_site(3))
            page.site_epoch = 3
        os._exit(0)
    os.wait()  # the manager is dead
    sites.follow(page)
    assert sites.of(3).policy.map()[:] == b"policy 3"
    assert (sites.of(3).mark, sites.of(3).system_servers) == (MARK, SERVERS)
    assert _forked(sites, 1, page, 3) == b"policy 3"


def test_two_are_kept_at_most_and_no_descriptor_of_others(sites: SealedSites) -> None:
    page, before = SharedPage(), _open_descriptors()
    for epoch in range(20):
        sites.hand_out(_site(epoch))
        sites.follow(page)
        assert len(sites._sites) <= 2
        assert sites.of(0)  # in force
        assert sites.of(epoch)
    page.site_epoch = 19
    sites.follow(page)
    assert [*sites._sites] == [19]
    for number in (1, 2):  # what waits for the workers
        sites.be_worker(number)
        sites.follow(page)
    assert _open_descriptors() == before + 2


def test_what_is_withdrawn_is_let_go_by_all(sites: SealedSites) -> None:
    page = SharedPage()
    sites.add(_site(0))
    sites.hand_out(_site(1))
    sites.withdraw(1)
    for number in (0, 1, 2):
        sites.be_worker(number)
        sites.follow(page)
        with pytest.raises(StoreError, match="not reached this process"):
            sites.of(1)
        assert sites.of(0)


def test_what_a_process_has_not_got_is_an_error_with_a_reason(sites: SealedSites) -> None:
    with pytest.raises(StoreError, match="the policy and lists in force have not reached"):
        sites.of(4)


def test_a_process_that_takes_nothing_is_named_and_blocks_nobody(sites: SealedSites) -> None:
    def hand_out_many() -> None:
        for epoch in range(10_000):
            sites.hand_out(_site(epoch))

    with pytest.raises(ControlError, match="cannot be reached"):
        hand_out_many()


def test_the_same_index_under_another_epoch_is_the_same_memory(sites: SealedSites) -> None:
    first = _site(1)
    sites.hand_out(first)
    sites.hand_out(replace(first, epoch=2))
    sites.be_worker(1)
    sites._sites.clear()
    sites.receive()
    assert sites.of(2).index.is_same(sites.of(1).index)
