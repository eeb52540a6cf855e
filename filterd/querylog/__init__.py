# SPDX-License-Identifier: Apache-2.0
"""Floor 3: the query log: hourly totals; lookups where a log level keeps them.

* ``counts``: what one worker adds up, for the chain and the fast path, by network and
  blocker too, and hands over in batches until they are acknowledged; ``day_reach``: the distinct
  devices of a day, capped, by tier, grade and class.
* ``service_days``: the minutes of each day in which lookups were answered.
* ``totals_file``: the tables, by grade, category, action, network and class, and the one
  writer; a damaged file is set aside, a new one begun. Readers get a day of the school at a time.
* ``sqlite_file``: what all files of the log have in common: make, check, set aside, read.
* ``period_totals``: sums of many days, by day or month, for exports and reports; single figures;
  how many distinct names were blocked on a day.
* ``totals_request``: selects and adds up what is read there.
* ``disclosure``: what readers may see of them: hours, categories, devices. One definition.
* ``suppression``: which cells of the totals may leave the school.
* ``published_totals``: closed days and months of them, frozen once they are published.
* ``lookups``: what the levels with names record: lookups in batches, acknowledged as well, and
  the queue in which they wait in one worker.
* ``pseudonyms``: what devices are called there, by a key that ends with the school day.
* ``day_schema``: what the file of one school day stores, for names and rows: the span of the
  day, the tables, the form of names.
* ``day_file``: the folder of these files, their days, forgetting; ``day_writer`` writes one,
  ``day_erasure`` writes one anew without what is to be forgotten.
* ``seen_names``: distinct names by tier and class, with some devices each, in memory.
* ``day_reader``: what one such file has of a name, a class, a tier; ``day_search``: pages of
  rows over several days, within a time, without confidential names; all that the last days
  have, to be judged again.
* ``querylog_rows``: totals, lookups and names as rows for people.

The workers count and the manager writes, once a minute (``daemon.manager.log_collector``).
A batch is acknowledged after it is on disk, and the file has the last batch of
each worker. So a manager that dies loses none and counts none twice;
a worker that dies loses at most a minute. While the disk refuses, the workers keep
their counts, within bounds; what has no room is counted as lost. No answer ever
waits for any of this.

``sqlite_file`` brings SQLite with it, so this package does not import it: a worker must
not load it.
"""

from filterd.querylog.counts import MOST_DAYS, OTHER, Batch, CountingRules, CountRow, Counts

__all__ = ["MOST_DAYS", "OTHER", "Batch", "CountRow", "CountingRules", "Counts"]
