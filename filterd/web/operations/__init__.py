# SPDX-License-Identifier: Apache-2.0
"""The operations of the API, a module for each group; ``ORDER`` has them all."""

from filterd.web.operations import (
    account_operations,
    exception_operations,
    history_operations,
    list_operations,
    log_operations,
    policy_operations,
    report_operations,
    room_operations,
    school_operations,
    site_operations,
    status_operations,
)

ORDER = (
    *status_operations.OPERATIONS,
    *log_operations.OPERATIONS,
    *report_operations.OPERATIONS,
    *policy_operations.OPERATIONS,
    *exception_operations.OPERATIONS,
    *room_operations.OPERATIONS,
    *list_operations.OPERATIONS,
    *site_operations.OPERATIONS,
    *history_operations.OPERATIONS,
    *school_operations.OPERATIONS,
    *account_operations.OPERATIONS,
)
"""All operations, in the order of the description."""

BY_NAME = {one.name: one for one in ORDER}
