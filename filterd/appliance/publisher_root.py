# SPDX-License-Identifier: Apache-2.0
"""Find the root of a publisher by the fingerprint that was read out.

The roots stand in the feed's folder, ``metadata/N.root.json`` (TUF §5.3). The connection
proves nothing and need not: only the root with the fingerprint is taken.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from tuf.api.exceptions import DownloadHTTPError

from filterd.counted import fingerprint
from filterd.errors import ConfigError, MissingFileError
from filterd.feed.trust import ROOT_OCTETS
from filterd.i18n import say

if TYPE_CHECKING:
    from filterd.feed.fetchers import Fetcher

MOST_ROOTS = 32


def find_root(fetcher: Fetcher, wanted: str) -> bytes:
    """Return the root with a fingerprint.

    Args:
        fetcher: of the feed.
        wanted: 64 digits.

    Raises:
        ConfigError: the feed has no such root.
        FetchError: it cannot be reached.
    """
    for number in range(1, MOST_ROOTS + 1):
        address = f"{fetcher.base}metadata/{number}.root.json"
        try:
            content = fetcher.download_bytes(address, ROOT_OCTETS)
        except (DownloadHTTPError, MissingFileError):
            break
        if fingerprint(content).replace(" ", "") == wanted:
            return content
    raise ConfigError(
        say("the feed has no root with this fingerprint; nothing was trusted"),
        hint=say("compare address and fingerprint with the publisher's by telephone"),
    )
