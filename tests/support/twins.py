# SPDX-License-Identifier: Apache-2.0
"""The twins that are built here, for tests that both must pass."""

from __future__ import annotations

from importlib import import_module, util
from typing import TYPE_CHECKING

from filterd.native import plain_source

if TYPE_CHECKING:
    from types import ModuleType


def _built(package: str, pure: str, native: str) -> list[ModuleType]:
    """Return the pure twin, which must be there, and the native one if it was built."""
    found = [import_module(f"filterd.{package}.{pure}")]
    if util.find_spec(f"filterd.{package}.{native}"):
        found.append(import_module(f"filterd.{package}.{native}"))
    return found


def _compiled(package: str, name: str) -> list[ModuleType]:
    """Return a module as it is written, and as it is compiled if it was."""
    full = f"filterd.{package}.{name}"
    found = [plain_source(full)]
    compiled = import_module(full)
    return found if str(compiled.__file__).endswith(".py") else [*found, compiled]


MODULES = {
    "limiter": _compiled("fastpath", "_rate_limit"),
    "datagrams": _built("fastpath", "datagrams", "_datagrams"),
    "extraction": _built("upstream", "resolution", "_pool"),
    "exchange": _built("upstream", "exchange", "_pool"),
    "flights": _built("upstream", "singleflight", "_pool"),
    "pool": _built("upstream", "socket_pool", "_pool"),
    "store": _built("resolve", "cache_store", "_cache"),
}
"""By facade; the pure twin is first, and the only one where no compiler was at hand."""
