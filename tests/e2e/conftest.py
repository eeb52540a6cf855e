# SPDX-License-Identifier: Apache-2.0
"""Fixtures that end-to-end tests share."""

from tests.support.browser import browser
from tests.support.feed_fixtures import folder, no_waiting_for_the_disk
from tests.support.serving_fixtures import built, index, patient, served_by, serving, upstream
from tests.support.tls_fixtures import authority, door
from tests.support.warm_fixtures import warm_children

__all__ = [
    "authority",
    "browser",
    "built",
    "door",
    "folder",
    "index",
    "no_waiting_for_the_disk",
    "patient",
    "served_by",
    "serving",
    "upstream",
    "warm_children",
]
