# SPDX-License-Identifier: Apache-2.0
"""Fixtures of the tests of filterd.appliance."""

from tests.support.serving_fixtures import upstream
from tests.support.tls_fixtures import authority, door

__all__ = ["authority", "door", "upstream"]
