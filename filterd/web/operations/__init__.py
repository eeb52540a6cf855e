# SPDX-License-Identifier: Apache-2.0
"""The operations of the API, a module for each group; ``ORDER`` has them all."""

from filterd.web.operations import status_operations

ORDER = (*status_operations.OPERATIONS,)
"""All operations, in the order of the description."""

BY_NAME = {one.name: one for one in ORDER}
