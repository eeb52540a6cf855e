# SPDX-License-Identifier: Apache-2.0
"""What lives and twins share: a small index."""

from tests.support.serving_fixtures import index

__all__ = ["index"]
