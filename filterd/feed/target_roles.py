# SPDX-License-Identifier: Apache-2.0
"""Which role may name which file of the feed.

The keys of ``targets`` are online and sign everything but what the law orders:
that is signed by the role ``orders`` alone, whose key is elsewhere. TUF would
let ``targets`` name the same files itself, before it asks ``orders``; so both
the publisher and the appliance ask ``is_ordered``.
"""

from __future__ import annotations

from fnmatch import fnmatchcase

ONLINE = ("targets", "snapshot", "timestamp")
"""Roles whose keys the publishing machine holds."""
ORDERED = ("orders/*", "orders.yaml.zst")
"""The names that the role ``orders`` signs: patterns of TUF, ``*`` within one folder."""


def is_ordered(name: str) -> bool:
    """Tell whether a file of this name is the law's: deeper folders count too."""
    return any(fnmatchcase(name, pattern) for pattern in ORDERED)
