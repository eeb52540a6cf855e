# SPDX-License-Identifier: Apache-2.0
"""Fixtures of the tests of filterd.fastpath."""

from tests.support.serving_fixtures import index, served_by, serving, upstream

__all__ = ["index", "served_by", "serving", "upstream"]
