# SPDX-License-Identifier: Apache-2.0
"""The commands of ``filterd lists`` and ``safesearch``: compile, follow, search.

``popular`` finds the popular names that newly compiled lists close.
"""
