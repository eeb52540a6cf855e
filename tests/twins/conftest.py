# SPDX-License-Identifier: Apache-2.0
"""What twins share: a small index."""

from tests.support.serving_fixtures import index

__all__ = ["index"]
