# SPDX-License-Identifier: Apache-2.0
"""The links of the chain; they do not know each other, ``pipeline`` orders them.

``local``: refusals, ANY, names of the school. ``filter``: block, pass, safe search.
``redaction``: records that a client must not get. ``cache``: the cache, stale answers, upstreams.
"""
