# SPDX-License-Identifier: Apache-2.0
"""Floor 3: overrides, set by commands beside the site's files, with history.

A command of an administrator or a teacher is a *change*: an exception, the grade of a room,
an exam, ... It leaves the site's YAML as it is. It is checked, recorded, and from then on
part of the ``Overrides`` through which ``filterd.policy.effective_policy`` sees the compiled
policy::

    command -> change_kinds: what it does -> store: a row -> snapshot: for the workers
                                               |
                    history_chain: the rows fold to Overrides, and chain to each other

* ``change_fields``: the fields of a change, checked as they are annotated. ``change_kinds``:
  the kinds of change; each is a dataclass of fields with an effect (``exception_changes``,
  ``room_changes``, ``log_changes``), or a note without one (``history_notes``).
  ``effects``: things removed and added; the context of a change.
* ``history_chain``: rows, their chain, the fold, undoing. ``mistake_reports``: mistakes of
  lists, for the centre; ``mistake_answers``: its answers. ``descriptions``: sentences for
  people; ``override_rows``: rows of what was set; ``current_rows``: of what holds now.
* ``target_text``: what people write: names, targets, grades, classes. ``preconditions``: whether
  a change can have an effect.
* ``roles``, ``permissions``, ``teaching``: what an author may change; ``own_lesson``: a teacher's
  lesson now; ``read_access``: what a role reads of the log. ``review_requests``: what pupils
  ask. ``assignments``: the networks of devices that move.
* ``store``: the file of rows, its one writer at a time; ``store_file``: its tables.
  ``history_copies``, ``quarantine``: its faults. ``snapshot``: the checksummed copy.
  ``restored_history``: that of a backup. ``policy_versions``: policies of the past;
  ``period_changes``: what was set in a period.

Invariants: a change that was acknowledged is on the disk and stays; a process killed at
any moment leaves the state before or after, never a mix; a damaged file is set aside
and the last copy stays active. No lookups are here, and no pupil's name: an author is a
user of the gateway. The name of a device is a text that an administrator has chosen.

``store`` brings SQLite with it, so this ``__init__`` imports none of the modules: a
worker loads ``snapshot`` alone.
"""
