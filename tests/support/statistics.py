# SPDX-License-Identifier: Apache-2.0
"""Statistics of random numbers."""

from __future__ import annotations

from collections import Counter
from statistics import NormalDist, correlation
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence


def chi_squared(numbers: Sequence[int], kinds: int) -> float:
    """Return Pearson's statistic of numbers below ``kinds``, all of them as likely."""
    expected = len(numbers) / kinds
    seen = Counter(numbers)
    return sum((seen[kind] - expected) ** 2 / expected for kind in range(kinds))


def chi_squared_p(statistic: float, kinds: int) -> float:
    """Return how likely chance alone is to give as much (Wilson and Hilferty's approximation)."""
    freedom = kinds - 1
    part = 2 / (9 * freedom)
    z = ((statistic / freedom) ** (1 / 3) - (1 - part)) / part**0.5
    return 1 - NormalDist().cdf(z)


def serial_correlation(numbers: Sequence[int]) -> float:
    """Return the correlation of each number with the next."""
    return correlation(numbers[:-1], numbers[1:])


def distinct_expected(draws: int, kinds: int) -> float:
    """Return how many different ones are expected of so many draws."""
    return kinds * (1 - (1 - 1 / kinds) ** draws)
