# SPDX-License-Identifier: Apache-2.0
"""A tunnel is noticed in time; what is none is not, and nothing is kept that names anybody."""

from __future__ import annotations

import pickle
from dataclasses import replace
from itertools import islice
from random import Random
from typing import TYPE_CHECKING

import pytest

from filterd.lists import public_suffix
from filterd.resolve import tunnel_counter as module
from filterd.resolve.query import Query
from filterd.resolve.tunnel_counter import MOST_PAIRS, NAMES, WINDOW_S, TunnelCounter
from filterd.wire import name as names
from tests.support.chain import a_chain_query
from tests.support.clock import FakeClock
from tests.support.serving import a_site
from tests.support.tunnelling import FLOODS, ORDINARY, TUNNELS, popular

if TYPE_CHECKING:
    from collections.abc import Iterable

    from filterd.lists.index import Index

DOMAIN = "t.tunnel-of-a-pupil.com.vn"
DEVICE = 4711


class Ticking:
    """A counter and its clock."""

    def __init__(self, workers: int = 1) -> None:
        self.clock = FakeClock()
        self.began = self.clock.monotonic()
        self.counter = TunnelCounter(self.clock.monotonic, lambda _: DEVICE, workers)

    @property
    def at(self) -> float | None:
        """When a tunnel was last seen."""
        at: float | None = self.counter.facts(self.clock.wall())["at"]
        return at

    def seconds_until_noticed(
        self, asked: Iterable[bytes], a_second: float, most_s: float, device: int = DEVICE
    ) -> float | None:
        """Ask at a rate, and return when that is noticed; None for not at all."""
        for name in islice(asked, round(most_s * a_second)):
            self.counter.note(name, device)
            if self.at is not None:
                return self.clock.monotonic() - self.began
            self.clock.advance(1 / a_second)
        return None


@pytest.mark.parametrize("program", TUNNELS)
@pytest.mark.parametrize(("a_second", "within_s"), [(620, 60), (20, 600)])
@pytest.mark.parametrize("workers", [1, 2, 4])
def test_a_tunnel_is_noticed_in_time(
    program: str, a_second: int, within_s: int, workers: int
) -> None:
    """One of the workers has at least its share of the questions."""
    found = Ticking(workers).seconds_until_noticed(
        TUNNELS[program](DOMAIN, Random(1)), a_second / workers, within_s
    )
    assert found is not None
    assert found < within_s


@pytest.mark.parametrize("program", FLOODS)
def test_what_antivirus_mail_and_reverse_lookups_ask_is_no_tunnel(program: str) -> None:
    asked = FLOODS[program](Random(2))
    assert Ticking(2).seconds_until_noticed(asked, 100, 100) is None


@pytest.mark.parametrize("bounded", [True, False])
def test_control_ordinary_names_of_many_devices_are_no_tunnel(
    monkeypatch: pytest.MonkeyPatch, *, bounded: bool
) -> None:
    """A lesson of 40 pupils, each with 300 such names in ten minutes."""
    if not bounded:
        monkeypatch.setattr(module, "NAMES", 20)
        monkeypatch.setattr(module, "OCTETS", 200)
    ticking = Ticking(2)
    for device in range(40):
        for ask in ORDINARY.values():
            for name in islice(ask(Random(device)), 100):
                ticking.counter.note(name, device)
    assert (ticking.at is None) is bounded


def test_the_names_that_the_country_asks_for_are_no_tunnel_of_one_device() -> None:
    """Not even where one address stands for the whole school, and asks for all within minutes."""
    ticking = Ticking(2)
    for name in popular():
        for prefix in ("", "www.", "static-content.cdn."):
            ticking.counter.note(names.from_text(prefix + name), DEVICE)
    assert ticking.at is None


def test_a_name_that_is_asked_for_again_counts_once() -> None:
    ticking = Ticking()
    asked = list(islice(TUNNELS["dnscat2"](DOMAIN, Random(3)), NAMES // 2)) * 20
    assert ticking.seconds_until_noticed(asked, 100, 600) is None


def test_a_tunnel_of_two_devices_is_of_each_for_itself() -> None:
    ticking = Ticking()
    for name in islice(TUNNELS["iodine up"](DOMAIN, Random(4)), 2 * NAMES):
        ticking.counter.note(name, DEVICE)
    other = names.from_text(f"a-long-child-of-it.{DOMAIN}")
    assert ticking.counter.is_noticed(other, DEVICE)
    assert not ticking.counter.is_noticed(other, DEVICE + 1)
    assert not ticking.counter.is_noticed(names.from_text("www.example.com.vn"), DEVICE)
    ticking.clock.advance(WINDOW_S)
    assert not ticking.counter.is_noticed(other, DEVICE)


@pytest.mark.parametrize(
    ("known", "address", "counted"),
    [(DEVICE, "10.0.1.5", [DEVICE]), (0, "10.0.1.5", [hash("10.0.1.5")]), (0, None, [hash(None)])],
)
def test_a_question_is_of_its_device_and_of_its_address_where_none_is_known(
    index: Index,
    monkeypatch: pytest.MonkeyPatch,
    known: int,
    address: str | None,
    counted: list[int],
) -> None:
    noted = list[int]()
    counter = TunnelCounter(FakeClock().monotonic, lambda _: known)
    monkeypatch.setattr(counter, "note", lambda _, device: noted.append(device))
    query = a_chain_query(a_site(index))
    for is_probe in (True, False):  # the daemon's own count nowhere
        client = replace(query.client, address=address, is_probe=is_probe)
        counter.note_query(Query(query.message, query.peer, client, query.site))
        assert noted == ([] if is_probe else counted)


def test_what_is_remembered_of_suffixes_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "_MOST_DOMAINS", 2)
    ticking, kept = Ticking(), list[int]()
    for number in range(5):
        ticking.counter.note(names.from_text(f"a-long-child.of-another{number}.example"), DEVICE)
        kept.append(len(ticking.counter._public))
    assert kept == [1, 2, 1, 2, 1]


def test_a_slow_one_that_never_fills_a_window_is_not_noticed() -> None:
    ticking = Ticking()
    assert ticking.seconds_until_noticed(TUNNELS["iodine up"](DOMAIN, Random(5)), 0.3, 7200) is None


@pytest.mark.parametrize("bounded", [True, False])
def test_control_many_other_domains_do_not_push_a_tunnel_out(
    monkeypatch: pytest.MonkeyPatch, *, bounded: bool
) -> None:
    """Whoever hides a tunnel asks for names of thousands of other domains meanwhile."""
    if not bounded:
        monkeypatch.setattr(
            TunnelCounter, "_forget_some", lambda self, _: self._pairs.pop(next(iter(self._pairs)))
        )
    ticking, rng = Ticking(), Random(6)
    for name in islice(TUNNELS["iodine up"](DOMAIN, rng), 2 * NAMES):
        ticking.counter.note(name, DEVICE)
        for _ in range(40):
            ticking.counter.note(
                names.from_text(f"{rng.randbytes(5).hex()}.x{rng.randrange(10**6)}.example"), DEVICE
            )
        assert len(ticking.counter._pairs) <= MOST_PAIRS
        ticking.clock.advance(0.01)
        if ticking.at is not None:
            break
    assert (ticking.at is not None) is bounded


def test_neither_a_name_nor_a_device_is_kept() -> None:
    ticking = Ticking()
    for name in islice(TUNNELS["dns2tcp"](DOMAIN, Random(7)), 3 * NAMES):
        ticking.counter.note(name, DEVICE)
    assert ticking.at is not None
    kept = [(key, pair.set_bits, bytes(pair._bits)) for key, pair in ticking.counter._pairs.items()]
    assert b"pupil" not in pickle.dumps(kept)
    assert ticking.counter.facts(0.0).keys() == {"at", "names"}


def test_the_number_of_names_is_of_the_tunnel_that_runs() -> None:
    ticking = Ticking()
    for seed, n in ((8, 3_000), (9, 1_000)):
        for name in islice(TUNNELS["iodine up"](DOMAIN, Random(seed)), n):
            ticking.counter.note(name, DEVICE)
        found = ticking.counter.facts(0.0)["names"]
        assert abs(found - n) < n / 10
        ticking.clock.advance(2 * WINDOW_S)


def test_no_name_makes_a_worker_read_a_file(monkeypatch: pytest.MonkeyPatch) -> None:
    """The list of suffixes is read before the workers are forked; their disk may die."""
    public_suffix.read_suffixes()
    monkeypatch.setattr(public_suffix, "_text", None)
    public_suffix.suffix_rules.cache_clear()
    public_suffix.public_suffix_test.cache_clear()
    ticking = Ticking()
    for domain in ("t.example.com.vn", "xn--55qx5d.cn", "xn--mnchen-3ya.example", "a.github.io"):
        for name in islice(TUNNELS["iodine up"](domain, Random(10)), 2 * NAMES):
            ticking.counter.note(name, DEVICE)
        assert ticking.counter.is_noticed(names.from_text(f"a-long-child.{domain}"), DEVICE)


def test_any_name_is_taken_and_an_error_ends_nothing(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    ticking = Ticking()
    for name in (b"\0", b"\x02vn\0", b"\x03com\x02vn\0", b"\x0a" + bytes(10) + b"\x01\xff\x02vn\0"):
        ticking.counter.note(name, DEVICE)
    monkeypatch.setattr(module, "key_from_name", None)
    for number in range(3):
        ticking.counter.note(names.from_text(f"a-long-child.of-another{number}.example"), DEVICE)
    assert caplog.text.count("cannot be counted") == 1
