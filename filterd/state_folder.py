# SPDX-License-Identifier: Apache-2.0
"""The files of a state folder, by what they are for."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from filterd.paths import SYSTEM_STATE, with_sides

SHIPPED = "0"
"""The id of the lists that ship with filterd, among those of versions."""


@dataclass(frozen=True, slots=True)
class StateFolder:
    """What the daemon keeps between its lives; all but log and overrides can be made again."""

    folder: Path

    @property
    def policy(self) -> Path:
        """The compiled policy: the last one that was valid."""
        return self.folder / "policy.filterd"

    @property
    def second_policy(self) -> Path:
        """Another copy of the compiled policy; see ``filterd.daemon.second_copies``."""
        return self.folder / "policy.second.filterd"

    @property
    def candidate_policy(self) -> Path:
        """The compiled policy that a reload is about to put in force."""
        return self.folder / "policy.candidate.filterd"

    @property
    def judged_policy(self) -> Path:
        """The compiled policy by which a version of the feed was judged."""
        return self.folder / "policy.judged.filterd"

    @property
    def tried_policy(self) -> Path:
        """Return the policy of the site's files as a command has them tried."""
        return self.folder / "policy.tried.filterd"

    @property
    def index(self) -> Path:
        """The compiled lists in force."""
        return self.folder / "index.filterd"

    @property
    def second_index(self) -> Path:
        """Another name of the compiled lists in force."""
        return self.folder / "index.second.filterd"

    @property
    def previous_index(self) -> Path:
        """The compiled lists before those, for when these turn out damaged."""
        return self.folder / "index.previous.filterd"

    @property
    def checked_indexes(self) -> Path:
        """Which indexes were checked through and through; see ``lists.index_files``."""
        return self.folder / "index.checked"

    @property
    def fresh_index(self) -> Path:
        """Compiled lists that are about to be put in force."""
        return self.folder / "index.new"

    @property
    def problems(self) -> Path:
        """Every line of every list that was not taken, one a row."""
        return self.folder / "problems.tsv"

    @property
    def fresh_problems(self) -> Path:
        """The same of the lists that are about to be put in force."""
        return self.folder / "problems.new"

    @property
    def feed(self) -> Path:
        """What is kept of the feed; see ``filterd.feed``."""
        return self.folder / "feed"

    def feed_version(self, version: str) -> Path:
        """Return the folder of a version of lists, which is like ``blocklists/``."""
        return self.feed / "versions" / version

    @property
    def query_log(self) -> Path:
        """What is remembered of lookups; it cannot be made again."""
        return self.folder / "query-log.sqlite3"

    @property
    def overrides(self) -> Path:
        """What commands have set, and its history: this cannot be made again either."""
        return self.folder / "overrides.sqlite"

    @property
    def exported_overrides(self) -> Path:
        """A copy of what is set, for when the store is lost or damaged."""
        return self.folder / "overrides.filterd"

    @property
    def clock(self) -> Path:
        """The last time that was known; see ``filterd.daemon.known_time``."""
        return self.folder / "clock.filterd"

    @property
    def overrides_copies(self) -> tuple[Path, Path]:
        """That copy and a second one: the newest that is sound counts."""
        return self.exported_overrides, self.folder / "overrides.second.filterd"

    @property
    def overrides_lock(self) -> Path:
        """Held by the process that changes what is set."""
        return self.folder / "overrides.lock"

    @property
    def past_policies(self) -> Path:
        """The folder of the compiled policies that were in force last."""
        return self.folder / "policies"

    @property
    def daemon_lock(self) -> Path:
        """Held by the daemon that serves from this folder."""
        return self.folder / "daemon.lock"

    @property
    def build_lock(self) -> Path:
        """Held by the process that compiles lists into this folder."""
        return self.folder / "build.lock"

    @property
    def files(self) -> tuple[Path, ...]:
        """All files that a start needs, reads or replaces, but the feed's."""
        policies = self.policy, self.candidate_policy, self.judged_policy, self.tried_policy
        return (
            *policies,
            *(one.with_name(f"{one.name}.origin") for one in policies),
            *(self.second_policy, self.second_index),
            *(self.index, self.previous_index, self.fresh_index, self.checked_indexes),
            *(self.problems, self.fresh_problems),
            *(self.daemon_lock, self.build_lock, self.overrides_lock),
            *self.overrides_copies,
            *with_sides(self.overrides),
            *with_sides(self.query_log),
        )

    @property
    def control_socket(self) -> Path:
        """Where the running daemon is asked; in ``/run`` for the system's own state folder."""
        if self.folder == SYSTEM_STATE:
            return Path("/run/filterd/control.sock")
        return self.folder / "control.sock"
