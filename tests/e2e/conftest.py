# SPDX-License-Identifier: Apache-2.0
"""What end-to-end tests share."""

from tests.support.serving_fixtures import index, serving, upstream
from tests.support.tls_fixtures import authority, door

__all__ = ["authority", "door", "index", "serving", "upstream"]
