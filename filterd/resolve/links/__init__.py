# SPDX-License-Identifier: Apache-2.0
"""The links of the chain, one module each.

They do not know each other; ``pipeline`` orders them.
"""
