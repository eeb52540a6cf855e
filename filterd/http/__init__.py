# SPDX-License-Identifier: Apache-2.0
"""Fetch by HTTP within bounds, and serve a few pages without a framework.

::

    http_download   what another server sends, bounded in size, time and addresses
      http_failures what went wrong, in a sentence with a remedy
    http_service    a small server: metrics, the page for pupils
"""
