# SPDX-License-Identifier: Apache-2.0
from collections.abc import Callable, Iterable, Mapping

from filterd.lists.matcher import Matcher

class Table:
    def __init__(self, seed: bytes) -> None: ...
    def forget(self) -> None: ...
    def load(
        self,
        matcher: Matcher,
        touched: Mapping[bytes, int],
        first_labels: Iterable[bytes],
        set_count: int,
        fill: Callable[[int, int], tuple[int, int, int, int]],
        skeletons: frozenset[bytes] = ...,
    ) -> None: ...
    def add_template(self, plain: bytes, edns: bytes, dnssec: bytes) -> int: ...
