# SPDX-License-Identifier: Apache-2.0
from filterd.resolve.cache_store import ResolutionStore

__all__ = ["ResolutionStore"]
