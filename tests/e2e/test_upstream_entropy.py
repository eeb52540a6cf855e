# SPDX-License-Identifier: Apache-2.0
"""How far an upstream, or an observer of it, can predict IDs and ports.

A test may fail by chance about once in a million runs; ``tests.bench.entropy``
asks a hundred thousand questions and prints the figures.
"""

from __future__ import annotations

import itertools
from array import array
from typing import TYPE_CHECKING

from filterd.upstream import randomness
from filterd.upstream.randomness import RandomNumbers
from tests.bench.entropy import Figures, figures_of, observe

if TYPE_CHECKING:
    import pytest

QUESTIONS = 3_000


def hides(found: Figures) -> bool:
    """Return whether the figures are those of randomness; bounds are five standard errors wide."""
    return (
        found.distinct_ports > 0.9 * found.expected_ports
        and found.p_upper > 1e-6
        and found.p_lower > 1e-6
        and abs(found.id_correlation) < 0.1
        and abs(found.port_correlation) < 0.1
    )


def test_ids_and_ports_hide_what_comes_next() -> None:
    seen = observe(QUESTIONS)
    assert len(seen.ids) >= QUESTIONS
    assert min(seen.ports) >= randomness.LOWEST
    assert hides(figures_of(seen))


def test_control_a_counter_would_not(monkeypatch: pytest.MonkeyPatch) -> None:
    counter = itertools.cycle(range(65_536))

    def block(_: RandomNumbers) -> bytes:
        return array("H", itertools.islice(counter, 2_048)).tobytes()

    monkeypatch.setattr(RandomNumbers, "block", block)
    assert not hides(figures_of(observe(QUESTIONS)))
