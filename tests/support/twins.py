# SPDX-License-Identifier: Apache-2.0
"""The twins that are built here, for tests that both have to pass."""

from __future__ import annotations

from importlib import import_module, util
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from types import ModuleType


def _built(*names: str, package: str = "filterd.daemon") -> list[ModuleType]:
    found = [f"{package}.{one}" for one in names]
    return [import_module(one) for one in found if util.find_spec(one)]


MODULES = {
    "limiter": _built("_limiter_py", "_limiter"),
    "datagrams": _built("_datagrams_py", "_datagrams"),
    "exchange": _built("exchange", "_flights", package="filterd.upstream"),
    "flights": _built("_flights_py", "_flights", package="filterd.upstream"),
    "pool": _built("_pool_py", "_pool", package="filterd.upstream"),
    "store": _built("_store_py", "_store", package="filterd.resolve"),
}
"""By facade; the pure twin is first, and the only one where no compiler was at hand."""
