# SPDX-License-Identifier: Apache-2.0
"""The files of a state folder, by their purpose."""

from __future__ import annotations

from pathlib import Path

from filterd.base.paths import SYSTEM_STATE, with_sides
from filterd.base.value_class import frozen

SHIPPED = "0"
"""The id of the lists that ship with filterd, among those of versions."""


class _StatePath:
    """An attribute of a state folder: the path of a name in it."""

    def __init__(self, name: str) -> None:
        self._name = name

    def __get__(self, state: StateFolder, _: type[StateFolder]) -> Path:
        return state.folder / self._name


@frozen
class StateFolder:
    """The daemon's state between runs; all but log and overrides can be made again."""

    folder: Path

    policy = _StatePath("policy.filterd")
    """The compiled policy: the last valid one."""
    second_policy = _StatePath("policy.second.filterd")
    """Another copy of the compiled policy; see ``filterd.daemon.manager.site_loader``."""
    candidate_policy = _StatePath("policy.candidate.filterd")
    """The compiled policy that a reload is about to activate."""
    judged_policy = _StatePath("policy.judged.filterd")
    """The compiled policy by which a version of the feed was judged."""
    tried_policy = _StatePath("policy.tried.filterd")
    """The policy of the site's files that a command tries."""
    index = _StatePath("index.filterd")
    """The active compiled lists."""
    second_index = _StatePath("index.second.filterd")
    """Another name of the active compiled lists."""
    previous_index = _StatePath("index.previous.filterd")
    """The compiled lists before those, in case these turn out damaged."""
    checked_indexes = _StatePath("index.checked")
    """The indexes that were checked completely; see ``lists.index_files``."""
    fresh_index = _StatePath("index.new")
    """Compiled lists that are about to be activated."""
    problems = _StatePath("problems.tsv")
    """Every line of every list that was refused, one a row."""
    fresh_problems = _StatePath("problems.new")
    """The same of the lists that are about to be activated."""
    feed = _StatePath("feed")
    """The folder of the feed; see ``filterd.feed``."""
    noted_as = "feed"
    """The key of an index for the version that the folder of the feed has in force."""
    query_log = _StatePath("query-log.sqlite3")
    """The query log; it cannot be made again."""
    what_if = _StatePath("what-if")
    """The folder of what is tried while it is; see ``filterd.feed.policy_trial``."""
    log_days = _StatePath("log")
    """The folder of the day files of the query log; see ``filterd.querylog.day_file``."""
    published_totals = _StatePath("published-totals")
    """The folder of what ``filterd.querylog.published_totals`` keeps, by month."""
    monitor = _StatePath("monitor")
    """The folder of ``filterd monitor``; its service has one of its own."""
    accounts = _StatePath("accounts.filterd")
    """The accounts of the dashboard; see ``filterd.accounts``."""
    site_proposal = _StatePath("site-proposal.filterd")
    """A text of ``site.yaml`` that waits for root; see ``filterd.config.site_proposal``."""
    site_outcome = _StatePath("site-outcome.filterd")
    """What came of it."""
    review_requests = _StatePath("review-requests.filterd")
    """The requests of pupils; see ``filterd.overrides.review_requests``."""
    overrides = _StatePath("overrides.sqlite")
    """The overrides and their history; these cannot be made again either."""
    exported_overrides = _StatePath("overrides.filterd")
    """A copy of the overrides, in case the store is lost or damaged."""
    replaced_history = _StatePath("overrides.replaced.jsonl")
    """The history that one of a backup took the place of; see ``restored_history``."""
    restore_request = _StatePath("restore.filterd")
    """What a restore brings back here, until it is done; see
    ``daemon.handlers.restore_commands``."""
    backup_outcome = _StatePath("backup.filterd")
    """When the nightly backup last worked; see ``daemon.manager.status_files``."""
    report_outcome = _StatePath("reports.filterd")
    """Which scheduled reports were delivered; see ``daemon.manager.status_files``."""
    link_rules = _StatePath("links.filterd")
    """Which links let pupils reach other resolvers; see ``daemon.manager.status_files``."""
    safe_search = _StatePath("safe-search.filterd")
    """When the hosts of safe modes were last found; see ``filterd.resolve.rewrite_targets``."""
    clock = _StatePath("clock.filterd")
    """The last known time; see ``filterd.daemon.time.known_time``."""
    overrides_lock = _StatePath("overrides.lock")
    """Held by the process that changes overrides."""
    past_policies = _StatePath("policies")
    """The folder of the compiled policies that were active last."""
    daemon_lock = _StatePath("daemon.lock")
    """Held by the daemon that serves from this folder."""
    build_lock = _StatePath("build.lock")
    """Held by the process that compiles lists into this folder."""

    self_test = _StatePath("self-test")
    """The folder of the self-test of a new release, while it runs."""
    device_key = _StatePath("device.pem")
    """The private key of this gateway; see ``filterd.appliance.enrolment``."""
    enrolment = _StatePath("enrolment.filterd")
    """The province's enrolment of this gateway; see ``filterd.daemon.manager.status_files``."""
    answers = _StatePath("setup.filterd")
    """The answers of a set-up that was interrupted; see ``filterd.appliance.setup.questions``."""

    def feed_version(self, version: str) -> Path:
        """Return the folder of a version of lists, which is like ``blocklists/``."""
        return self.feed / "versions" / version

    @property
    def overrides_copies(self) -> tuple[Path, Path]:
        """The exported copy and a second one: the newest sound one counts."""
        return self.exported_overrides, self.folder / "overrides.second.filterd"

    @property
    def accounts_copies(self) -> tuple[Path, Path]:
        """The file of the accounts and a second copy: the newest sound one counts."""
        return self.accounts, self.folder / "accounts.second.filterd"

    @property
    def files(self) -> tuple[Path, ...]:
        """All files that a start needs, reads or replaces, but the feed's."""
        policies = self.policy, self.candidate_policy, self.judged_policy, self.tried_policy
        return (
            *policies,
            *(policy.with_name(f"{policy.name}.origin") for policy in policies),
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
        """The control socket of the daemon; in ``/run`` for the system's own state folder."""
        if self.folder == SYSTEM_STATE:
            return Path("/run/filterd/control.sock")
        return self.folder / "control.sock"

    @property
    def web(self) -> Path:
        """The folder of the dashboard's certificate; in ``/etc`` on a gateway, of root."""
        if self.folder == SYSTEM_STATE:
            return Path("/etc/filterd-web")
        return self.folder / "web"

    @property
    def setup_socket(self) -> Path:
        """The socket of a set-up by pages; its folder is that of a service of its own."""
        if self.folder == SYSTEM_STATE:
            return Path("/run/filterd-setup/setup.sock")
        return self.folder / "setup.sock"

    @property
    def log_key(self) -> Path:
        """The key of today's pseudonyms; its folder is in memory on a gateway."""
        return self.control_socket.with_name("log-key")


class BesideFolder(StateFolder):
    """The same state, for public lists that stand beside a feed.

    They have their own versions.
    """

    __slots__ = ()

    feed = _StatePath("beside")
    noted_as = "beside"
