# SPDX-License-Identifier: Apache-2.0
"""The pages of the dashboard; ``ORDER`` has them all, in the order of the menu."""

from filterd.web.pages import (
    class_names_page,
    lists_page,
    live_lookups_page,
    lookup_page,
    lookups_page,
    new_names_page,
    public_lists_page,
    requests_page,
    site_page,
    today_page,
    why_page,
)

ORDER = (
    today_page.PAGE,
    why_page.PAGE,
    lookups_page.PAGE,
    lookup_page.PAGE,
    live_lookups_page.PAGE,
    new_names_page.PAGE,
    class_names_page.PAGE,
    lists_page.PAGE,
    public_lists_page.PAGE,
    requests_page.PAGE,
    *site_page.PAGES,
)
