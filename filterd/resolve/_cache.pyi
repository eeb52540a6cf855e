# SPDX-License-Identifier: Apache-2.0
from filterd.resolve._cache_store_py import ResolutionStore

__all__ = ["ResolutionStore"]
