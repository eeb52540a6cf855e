# SPDX-License-Identifier: Apache-2.0
"""The operations of the API, a module for each group; ``ORDER`` has them all."""

from filterd.web.operation import Operation
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

_MODULES = (
    status_operations,
    log_operations,
    report_operations,
    policy_operations,
    exception_operations,
    room_operations,
    list_operations,
    site_operations,
    history_operations,
    school_operations,
    account_operations,
)
"""In the order of the description; of a module all its operations, as they stand there."""
ORDER: tuple[Operation, ...] = (
    *(one for module in _MODULES for one in vars(module).values() if isinstance(one, Operation)),
    *site_operations.EDITS.values(),
)

BY_NAME = {one.name: one for one in ORDER}
