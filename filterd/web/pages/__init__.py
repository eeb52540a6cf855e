# SPDX-License-Identifier: Apache-2.0
"""The pages of the dashboard; ``ORDER`` has them all, in the order of the menu."""

from filterd.web.pages import site_page, today_page

ORDER = (
    today_page.PAGE,
    *site_page.PAGES,
)
