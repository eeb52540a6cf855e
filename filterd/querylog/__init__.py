# SPDX-License-Identifier: Apache-2.0
"""Floor 3: remembering. Totals of an hour, at the level ``counts``: no name, no address.

* ``counts``: what one worker adds up, an increment an answer, and hands over in
  batches until they are acknowledged.
* ``schema``: the tables of the file, and which errors mean that it is damaged.
* ``database``: the one writer; a damaged file is set aside and a new one begun.
* ``totals``: reads the file, a day of the school at a time.

The workers count and the manager writes, once a minute (``daemon.log_collector``).
A batch is acknowledged after it is on disk, and the file says which batch of
each worker was the last, so a manager that dies loses none and counts none twice;
a worker that dies takes at most a minute with it. While the disk refuses, the
workers keep what they have, within bounds; what has no room is counted as lost.
No answer ever waits for any of this.

``database`` and ``totals`` bring SQLite with them, so this package imports
neither: a worker must not carry it.
"""

from filterd.querylog.counts import DAYS_KEPT, Batch, CountRow, Counts

__all__ = ["DAYS_KEPT", "Batch", "CountRow", "Counts"]
