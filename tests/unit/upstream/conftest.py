# SPDX-License-Identifier: Apache-2.0
"""Fixtures of the tests of filterd.upstream."""

from tests.support.serving_fixtures import index, serving, upstream
from tests.support.tls_fixtures import authority, door

__all__ = ["authority", "door", "index", "serving", "upstream"]
