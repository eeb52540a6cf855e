# SPDX-License-Identifier: Apache-2.0
"""The twins that are built here, for tests that both must pass."""

from __future__ import annotations

from importlib import import_module, util
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from types import ModuleType


def _built(package: str, pure: str, native: str) -> list[ModuleType]:
    """Return the pure twin, which must be there, and the native one if it was built."""
    found = [import_module(f"filterd.{package}.{pure}")]
    if util.find_spec(f"filterd.{package}.{native}"):
        found.append(import_module(f"filterd.{package}.{native}"))
    return found


MODULES = {
    "limiter": _built("fastpath", "_rate_limit_py", "_rate_limit"),
    "datagrams": _built("fastpath", "_datagrams_py", "_datagrams"),
    "exchange": _built("upstream", "exchange", "_pool"),
    "flights": _built("upstream", "_singleflight_py", "_pool"),
    "pool": _built("upstream", "_socket_pool_py", "_pool"),
    "store": _built("resolve", "_cache_store_py", "_cache"),
}
"""By facade; the pure twin is first, and the only one where no compiler was at hand."""
