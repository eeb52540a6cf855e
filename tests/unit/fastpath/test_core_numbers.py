# SPDX-License-Identifier: Apache-2.0
"""What stands under a number in the core is counted and answered as by the chain."""

from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING

import pytest

from filterd.fastpath import core_numbers
from filterd.fastpath.core_numbers import CoreNumbers
from filterd.policy.model import Network, UpstreamServer
from filterd.querylog import OTHER, CountRow
from filterd.resolve.site import Site
from tests.support.policies import a_policy
from tests.support.serving import GRADE_1, GRADE_11, NETWORKS, STAFF, Serving, a_site

if TYPE_CHECKING:
    from collections.abc import Iterator

    from filterd.lists.index import Index
    from tests.support.upstream import FakeUpstream

pytestmark = pytest.mark.usefixtures("needs_native")
ASKED = (
    *(("porn.example", f"127.0.1.{host}") for host in (1, 1, 2, 3, 1, 2)),
    *(("www.example.com", f"127.0.1.{host}") for host in range(1, 21)),
    *(("www.example.com", f"127.0.1.{host}") for host in range(1, 21)),
    *(("social.example", source) for source in (GRADE_1, GRADE_11, GRADE_1, GRADE_11)),
    *(("malware.example", STAFF) for _ in range(3)),
)


@pytest.fixture
def fast(index: Index, upstream: FakeUpstream) -> Iterator[Serving]:
    with Serving(a_site(index, [upstream]), listen=["127.0.0.1"], fast=True) as running:
        yield running


def broken(*_: object) -> None:
    raise RuntimeError("it cannot be read")


def by_the_chain(serving: Serving) -> int:
    """Return how many answers the chain gave: before they are settled the others are not in.

    The first of a client's is, because the fast path does not know him before.
    """
    return serving.run(lambda: sum(serving.resolver.counters.values()))


def settled(serving: Serving) -> dict[str, int]:
    """Return all that was answered, by source."""
    assert serving.fast is not None
    serving.run(serving.fast.settle)
    return serving.run(lambda: dict(serving.resolver.counters))


def another_device_is_known(serving: Serving) -> None:
    serving.sites.current.surroundings.version += 1


@pytest.mark.parametrize("failing", ["edge_of", "opening"])
def test_a_fault_while_a_group_is_made_moves_no_other_group(
    fast: Serving, monkeypatch: pytest.MonkeyPatch, failing: str
) -> None:
    """What stands beside the groups has one place for each."""
    fast.ask("porn.example")
    core = fast.fast
    assert core is not None
    client = fast.run(lambda: fast.sites.current.identifier.identify(STAFF))
    assert client is not None
    newcomer, before = dataclasses.replace(client, network="x"), len(core.edges)
    with monkeypatch.context() as patch:
        patch.setattr(Site if failing == "edge_of" else CoreNumbers, failing, broken)
        with pytest.raises(RuntimeError, match="it cannot be read"):
            fast.run(lambda: core._numbers.group_of(newcomer))
    assert fast.run(lambda: core._numbers.group_of(newcomer)) == before
    assert len(core.edges) == len(core._numbers.places) == before + 1
    assert core._numbers.places[before][0] == "x"


def in_the_log(serving: Serving) -> set[CountRow]:
    """Return the rows of a batch, as the log takes it from a worker."""

    def take() -> set[CountRow]:
        if serving.fast is not None:
            serving.fast.settle()
        return {row for batch in serving.log.take_all() for row in batch.rows}

    return serving.run(take)


def test_classes_are_counted_alike_and_share_a_row_with_their_grade(
    index: Index, upstream: FakeUpstream
) -> None:
    """Only a class for which something else is closed has decisions of its own."""
    policies = a_policy().grades
    of_eleven = dataclasses.replace(policies["11"], class_id="11A")
    strict = of_eleven.closed | {"social-media"}
    policies |= {
        "11A": of_eleven,
        "11B": dataclasses.replace(of_eleven, class_id="11B", closed=strict),
    }
    networks = (
        dataclasses.replace(NETWORKS[10], grade="11A"),
        dataclasses.replace(NETWORKS[11], grade="11B"),
        Network("of-11", "11", ("127.0.13.0/24",)),
    )
    logged = []
    for is_fast in (True, False):
        policy = dataclasses.replace(a_policy(networks=networks), grades=policies)
        server = UpstreamServer(upstream.address, upstream.port)
        site = Site.of(policy, index, (server,))
        with Serving(site, listen=["127.0.0.1"], fast=is_fast) as running:
            for host in (11, 12, 13):
                for name in ("porn.example", "social.example") * 3:
                    running.ask(name, source=f"127.0.{host}.1")
            logged.append(in_the_log(running))
            if running.fast is not None:
                assert len(running.fast._numbers.grades) == 2
    assert logged[0] == logged[1]
    cells = {(row.class_id, row.network, row.category, row.action): row.n for row in logged[0]}
    assert cells == {
        ("11A", "grade-11", "porn", "blocked"): 3,
        ("11A", "grade-11", "social-media", "pass"): 3,
        ("11B", "grade-12", "porn", "blocked"): 3,
        ("11B", "grade-12", "social-media", "blocked"): 3,
        ("", "of-11", "porn", "blocked"): 3,
        ("", "of-11", "social-media", "pass"): 3,
    }


@pytest.mark.parametrize("most", [0, 100])
def test_a_blocker_beyond_the_bound_is_counted_as_another(
    fast: Serving, monkeypatch: pytest.MonkeyPatch, most: int
) -> None:
    monkeypatch.setattr(core_numbers, "MOST_BLOCKING_TALLIES", most)
    for _ in range(4):
        fast.ask("malware.example")
    found = {row.blocker: row.n for row in in_the_log(fast)}
    assert found == ({"malware": 4} if most else {"malware": 1, OTHER: 3})
