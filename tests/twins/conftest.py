# SPDX-License-Identifier: Apache-2.0
"""Fixtures of the twins: a small index."""

from tests.support.serving_fixtures import index

__all__ = ["index"]
