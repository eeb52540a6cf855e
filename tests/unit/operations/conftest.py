# SPDX-License-Identifier: Apache-2.0
"""Fixtures of the tests of filterd.operations."""

from __future__ import annotations

from tests.support.account_school import people

__all__ = ["people"]
