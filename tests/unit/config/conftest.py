# SPDX-License-Identifier: Apache-2.0
"""Fixtures of the tests of filterd.config."""

from tests.support.warm_fixtures import warm_children

__all__ = ["warm_children"]
