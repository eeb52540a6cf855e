# SPDX-License-Identifier: Apache-2.0
"""Deliver the reports that are due, into folders and by mail.

It asks the daemon for everything: the last period of each schedule that is over, its facts for
outside the school, the template, where mail goes. A gateway that was off makes the last report
of each schedule, not those before. What was delivered is noted one by one, so that a stick that
is missing does not repeat a mail.
"""

from __future__ import annotations

import base64
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from filterd import control
from filterd.appliance.backup_file import check_is_there, check_other_disk
from filterd.counted import size
from filterd.daemon.status_files import REPORTS, ScheduledReports
from filterd.errors import ControlError, DeliveryError, FilterdError
from filterd.http_download import DownloadLimits
from filterd.i18n import UNSAID, Language, Texts, language_of, say, say_n
from filterd.monitor.alert_watch import ask_settings
from filterd.monitor.mail import Attachment, Mail
from filterd.paths import check_room, write_atomically, writing
from filterd.policy import reporting_settings
from filterd.policy.reporting_settings import PeriodKind, ReportSettings
from filterd.privileges import as_owner_of, own_rights
from filterd.reports import report_run
from filterd.reports.report_facts import ReportAudience
from filterd.reports.report_formats import FORMATS, file_name
from filterd.reports.report_run import ReportFile, ReportRequest
from filterd.state_file import Decoders

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from filterd.clock import Clock
    from filterd.i18n import Sentence
    from filterd.policy.reporting_settings import ReportSchedule
    from filterd.state_folder import StateFolder

MOST_MAILED_OCTETS = 10_000_000
"""Of the files of one message: many servers refuse more than 15 MB in base64."""
_OWN_DISK = Path("/srv")
"""Where a folder may be on the gateway's own disk, such as a share that it serves."""
_MAIL_LIMITS = DownloadLimits(total_s=600.0, window_s=1200.0, silence_s=300.0)
"""For 10 MB by a line of 400 kbit/s."""
_MOST_NAMESAKES = 100
_settings = Decoders(vars(reporting_settings)).of(ReportSettings)


class Delivery(NamedTuple):
    """What one schedule delivers on one way; ``folder`` is empty for mail."""

    every: PeriodKind
    formats: tuple[str, ...]
    folder: str = ""

    @property
    def id(self) -> str:
        """The key of what is kept of it."""
        return f"{self.every} {'+'.join(self.formats)} {self.folder or 'mail'}"


class ReportLetter(NamedTuple):
    """The mail that brings a report."""

    subject: str
    text: str


def deliveries_of(schedules: Iterable[ReportSchedule]) -> Iterator[Delivery]:
    """Yield the deliveries: each file into a folder, all files by one mail."""
    for one in schedules:
        if one.folder:
            yield from (Delivery(one.every, (name,), one.folder) for name in one.formats)
        if one.is_mailed:
            yield Delivery(one.every, one.formats)


def deliver_due(config: Path, state: StateFolder, clock: Clock) -> tuple[str, ...]:
    """Deliver the reports that are due; return the files, and note how it went.

    Args:
        config: the folder of ``site.yaml``, for the password of mail.
        state: with the outcome of the run before.
        clock: for the outcome.

    Raises:
        FilterdError: the first failure; everything else was tried, and what worked is noted.
    """
    path, now = state.report_outcome, clock.wall()
    with as_owner_of(state.folder):
        before = REPORTS.read(path)
        try:
            desk = _Desk.opened(config, state, clock)
        except FilterdError as error:
            if before is not None:
                REPORTS.save(path, _failed(before, now, error))
            raise
        wanted = {one.id: one for one in deliveries_of(desk.settings.schedules)}
        if not wanted:
            with writing(path):
                path.unlink(missing_ok=True)
            return ()
        outcome = before or ScheduledReports()
        kept = {key: day for key, day in outcome.delivered.items() if key in wanted}
        outcome, failure = replace(outcome, delivered=kept), None
        files: tuple[str, ...] = ()
        for one in wanted.values():
            try:
                period = desk.period(one.every)
                if kept.get(one.id) == period["last"]:
                    continue
                files += desk.deliver(one)
            except FilterdError as error:
                failure = failure or error
                continue
            kept = {**kept, one.id: period["last"]}
            outcome = replace(outcome, delivered=kept, done_at=now, files=files)
            REPORTS.save(path, outcome)  # a power cut now repeats nothing
        is_well = replace(outcome, failing_since=None, problem=UNSAID)
        REPORTS.save(path, is_well if failure is None else _failed(outcome, now, failure))
    if failure is not None:
        raise failure
    return files


def _failed(outcome: ScheduledReports, now: float, error: FilterdError) -> ScheduledReports:
    return replace(outcome, failing_since=outcome.failing_since or now, problem=error.sentence)


@dataclass(slots=True)
class _Desk:
    """Makes the files of a run, each once."""

    config: Path
    state: StateFolder
    clock: Clock
    settings: ReportSettings
    language: Language
    _periods: dict[PeriodKind, dict[str, Any]] = field(default_factory=dict)
    _facts: dict[PeriodKind, dict[str, Any]] = field(default_factory=dict)
    _made: dict[tuple[PeriodKind, str], ReportFile] = field(default_factory=dict)

    @classmethod
    def opened(cls, config: Path, state: StateFolder, clock: Clock) -> _Desk:
        """Ask for the settings.

        Raises:
            ControlError: the daemon does not answer, or as another release would.
        """
        answer = control.ask(state.control_socket, "report-settings")
        try:
            settings = _settings(answer["settings"])
        except (KeyError, TypeError, ValueError, AttributeError) as error:
            raise ControlError(
                say("the running filterd is of another release; restart it")
            ) from error
        return cls(config, state, clock, settings, language_of(answer["language"]))

    def period(self, every: PeriodKind) -> dict[str, Any]:
        """Return the last period of a kind that is over, as the daemon's clock has it."""
        if every not in self._periods:
            self._periods[every] = control.ask(
                self.state.control_socket, "report-period", text=every.value
            )
        return self._periods[every]

    def deliver(self, wanted: Delivery) -> tuple[str, ...]:
        """Make and deliver files; return their names or paths.

        Raises:
            FilterdError: they cannot be made, or not be delivered.
        """
        return self._put(wanted) if wanted.folder else self._mail(wanted)

    def _put(self, wanted: Delivery) -> tuple[str, ...]:
        folder = Path(wanted.folder)
        with own_rights():
            _check_folder(folder, self.state.folder)
        made = [
            (self._name(wanted.every, one), self._file(wanted.every, one).octets)
            for one in wanted.formats
        ]
        with own_rights():
            _check_folder(folder, self.state.folder)  # it may be another one by now
            return tuple(str(_written(folder, *one)) for one in made)

    def _mail(self, wanted: Delivery) -> tuple[str, ...]:
        found = ask_settings(self.state.control_socket)
        if found is None or found.mail is None:
            raise DeliveryError(
                say("`alerts` in site.yaml has no `mail`, by which reports could go")
            )
        made = [self._file(wanted.every, one) for one in wanted.formats]
        octets = sum(len(one.octets) for one in made)
        if octets > MOST_MAILED_OCTETS:
            raise DeliveryError(
                say(
                    "the report has {size}; at most {most} are mailed",
                    size=size(octets),
                    most=size(MOST_MAILED_OCTETS),
                )
            )
        attachments = [
            Attachment(self._name(wanted.every, name), FORMATS[name].media_type, one.octets)
            for name, one in zip(wanted.formats, made, strict=True)
        ]
        names = tuple(one.name for one in attachments)
        blanks = max(len(one.blanks) for one in made)
        letter = letter_of(self._facts[wanted.every], names, blanks, Texts(self.language))
        with own_rights():  # the password's file is of another user
            Mail(found.mail, self.config, self.clock, _MAIL_LIMITS).send(letter, attachments)
        return names

    def _file(self, every: PeriodKind, name: str) -> ReportFile:
        if (every, name) not in self._made:
            facts, template = self._facts_of(every), None
            if name == "docx" and self.settings.template:
                template = base64.b64decode(
                    control.ask(self.state.control_socket, "report-template") or ""
                )
            request = ReportRequest(facts, name, self.language, template=template or None)
            self._made[every, name] = report_run.make(request)
        return self._made[every, name]

    def _facts_of(self, every: PeriodKind) -> dict[str, Any]:
        if every not in self._facts:
            period, audience = self.period(every), ReportAudience.OUTSIDE.value
            found = control.ask(
                self.state.control_socket, "report-facts", **period, audience=audience
            )
            self._facts[every] = found
        return self._facts[every]

    def _name(self, every: PeriodKind, name: str) -> str:
        return file_name(self._facts_of(every), name, self.language)


def letter_of(
    facts: Mapping[str, Any], names: tuple[str, ...], blanks: int, texts: Texts
) -> ReportLetter:
    """Return the mail that brings files.

    Args:
        facts: of ``ReportFacts.to_plain``.
        names: of the files.
        blanks: how many places a person fills in.
        texts: of the language.
    """
    first, last = (f"{day[8:]}/{day[5:7]}/{day[:4]}" for day in (facts["first"], facts["last"]))
    school = " ".join(facts["school"]["name"].split())
    paragraphs: tuple[Sentence, ...] = (
        say("Attached is the report of {school} from {first} to {last}: {files}.",
            school=school, first=first, last=last, files=", ".join(names)),
        say("It has totals only: no name that was looked up, no class, no device."),
        say_n("{n} place is to be filled in by a person; it is marked in the file.",
              "{n} places are to be filled in by a person; they are marked in the file.", blanks)
        if blanks else UNSAID,
    )  # fmt: skip
    subject = texts("filterd, {school}: report from {first} to {last}",
                    school=school, first=first, last=last)  # fmt: skip
    return ReportLetter(subject, "\n\n".join(texts(one) for one in paragraphs if one) + "\n")


def _check_folder(folder: Path, state: Path) -> None:
    """Refuse a folder that is missing, or that only waits for its stick.

    A link in a share, or ``..``, leads to no other folder of the gateway.

    Raises:
        ConfigError, StoreError: it is one of these.
    """
    check_is_there(folder)
    if not folder.resolve().is_relative_to(_OWN_DISK.resolve()):
        check_other_disk(folder, state)


def _written(folder: Path, name: str, octets: bytes) -> Path:
    """Write a file beside those that are there already; return its path.

    Raises:
        StoreError: the disk refused.
    """
    stem, dot, suffix = name.rpartition(".")
    with writing(folder):
        check_room(folder, len(octets))
        for number in range(1, _MOST_NAMESAKES):
            path = folder / (name if number == 1 else f"{stem}-{number}{dot}{suffix}")
            if not path.exists():
                break
    write_atomically(path, octets, mode=0o644)
    return path
