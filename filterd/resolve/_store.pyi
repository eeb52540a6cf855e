# SPDX-License-Identifier: Apache-2.0
from filterd.resolve._store_py import ResolutionStore

__all__ = ["ResolutionStore"]
