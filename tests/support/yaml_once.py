# SPDX-License-Identifier: Apache-2.0
"""Parse the same file with the same octets once: most tests read all that ships.

``parse`` itself is as it was; ``load`` is what remembers.
"""

from __future__ import annotations

from functools import lru_cache

from filterd.documents import yaml_reader

_MOST_FILES = 200


def remember() -> None:
    """Have this process remember what it has parsed."""
    vars(yaml_reader)["parse"] = lru_cache(_MOST_FILES)(yaml_reader.parse)
