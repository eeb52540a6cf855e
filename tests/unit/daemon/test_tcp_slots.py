# SPDX-License-Identifier: Apache-2.0
"""Who gets a place for a connection, and whose."""

from __future__ import annotations

from dataclasses import dataclass

import pytest

from filterd.daemon import tcp_slots
from filterd.daemon.tcp_slots import TcpSlots


@dataclass(eq=False)
class Held:
    client: str
    progressed_at: float = 0.0
    is_busy: bool = False
    ended: bool = False

    def abort(self) -> None:
        self.ended = True


@pytest.fixture(autouse=True)
def _six_places_and_three_a_client(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tcp_slots, "MOST_CONNECTIONS", 6)
    monkeypatch.setattr(tcp_slots, "MOST_CONNECTIONS_A_CLIENT", 3)


def filled(*holders: Held) -> TcpSlots:
    taken = TcpSlots()
    assert all(taken.take(one) for one in holders)
    return taken


def many(clients: str, each: int = 1, *, is_busy: bool = False) -> list[Held]:
    return [
        Held(client, float(n), is_busy=is_busy)
        for n, client in enumerate(client for client in clients for _ in range(each))
    ]


def who_ended(held: list[Held]) -> list[int]:
    return [number for number, one in enumerate(held) if one.ended]


def test_a_client_gets_no_more_than_its_share_though_there_is_room() -> None:
    taken = filled(*many("a", 3))
    assert not taken.take(Held("a"))
    assert (taken.of("a"), taken.of("b"), len(taken)) == (3, 0, 3)


def test_a_newcomer_takes_the_longest_idle_place_of_who_holds_most() -> None:
    held = [Held("b", 0.0), *many("a", 3), Held("c", 0.0)]
    taken = filled(*held, Held("d"))
    assert taken.take(Held("e"))
    assert who_ended(held) == [1]
    assert (taken.of("a"), len(taken)) == (2, 6)


def test_idle_are_ended_before_busy_ones_even_of_who_holds_less() -> None:
    held = [*many("a", 3, is_busy=True), *many("b", 2), Held("c")]
    assert filled(*held).take(Held("d"))
    assert who_ended(held) == [3]


def test_busy_ones_are_ended_where_none_is_idle_and_one_holds_far_more() -> None:
    held = many("ab", 3, is_busy=True)
    assert filled(*held).take(Held("c"))
    assert who_ended(held) == [0]


def test_equals_do_not_end_each_others_busy_connections() -> None:
    held = many("abcdef", is_busy=True)
    assert not filled(*held).take(Held("g"))
    assert who_ended(held) == []


def test_six_clients_with_an_idle_connection_each_do_not_lock_out_a_seventh() -> None:
    held = many("abcdef")
    taken = filled(*held)
    assert taken.take(Held("g"))
    assert who_ended(held) == [0]


def test_who_holds_as_many_as_others_takes_none_of_theirs() -> None:
    held = many("ab", 3)[:6]
    taken = filled(*held)
    assert not taken.take(Held("a"))
    assert who_ended(held) == []


def test_a_place_is_given_back_once() -> None:
    first, second = held = many("a", 2)
    taken = filled(*held)
    taken.release(first)
    taken.release(first)
    assert (taken.of("a"), len(taken)) == (1, 1)
    taken.release(second)
    taken.release(Held("b"))
    assert (taken.of("a"), len(taken)) == (0, 0)
