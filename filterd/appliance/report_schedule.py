# SPDX-License-Identifier: Apache-2.0
"""Deliver the reports that are due, into folders and by mail.

What is delivered, where to and under which name stands in ``site.yaml``, which is read here: root
has more rights than the daemon, so an answer of it names no file, no folder and no server. It is
asked for content: the last period of a kind that is over, two days of the calendar; its facts for
outside the school; the template. A gateway that was off makes the last report
of each schedule, not those before. What was delivered is noted one by one, so that a stick that
is missing does not repeat a mail.
"""

from __future__ import annotations

import base64
import re
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from filterd import control
from filterd.appliance.backup.backup_file import check_is_there, check_other_disk
from filterd.base.errors import ControlError, DeliveryError, FilterdError
from filterd.base.paths import check_room, write_atomically, writing
from filterd.base.privileges import as_owner_of, own_rights
from filterd.config.compile_run import read_destinations
from filterd.daemon.manager.status_files import REPORTS, ScheduledReports
from filterd.http.http_download import DownloadLimits
from filterd.monitor.mail import Attachment, Mail
from filterd.operations.parameters.report_scope import WHOLE_SCHOOL
from filterd.operations.reports import ReadReportFacts, ReadReportPeriod, ReadReportTemplate
from filterd.policy.reporting_settings import ReportAudience
from filterd.reports import report_run
from filterd.reports.report_formats import FORMATS, file_name
from filterd.reports.report_run import ReportFile, ReportRequest
from filterd.texts.counted import size
from filterd.texts.i18n import UNSAID, Language, Texts, language_of, say, say_n

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from filterd.base.clock import Clock
    from filterd.base.state_folder import StateFolder
    from filterd.operations.request import AnswerT, OperationRequest
    from filterd.policy.reporting_settings import Destinations, PeriodKind, ReportSchedule
    from filterd.texts.i18n import Sentence

MOST_MAILED_OCTETS = 10_000_000
"""Of the files of one message: many servers refuse more than 15 MB in base64."""
_OWN_DISK = Path("/srv")
"""Where a folder may be on the gateway's own disk, such as a share that it serves."""
_MAIL_LIMITS = DownloadLimits(total_s=600.0, window_s=1200.0, silence_s=300.0)
"""For 10 MB by a line of 400 kbit/s."""
_MOST_NAMESAKES = 100
_OUTSIDE = ReportAudience.OUTSIDE
_LONGEST_ID = 64
_is_date = re.compile(r"\d{4}-\d\d-\d\d", re.ASCII).fullmatch


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
    for schedule in schedules:
        if schedule.folder:
            yield from (
                Delivery(schedule.every, (name,), schedule.folder) for name in schedule.formats
            )
        if schedule.is_mailed:
            yield Delivery(schedule.every, schedule.formats)


def deliver_due(config: Path, state: StateFolder, clock: Clock) -> tuple[str, ...]:
    """Deliver the reports that are due; return the files, and note how it went.

    Args:
        config: the folder of ``site.yaml``, and of the password of mail.
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
        wanted = {one.id: one for one in deliveries_of(desk.site.report.schedules)}
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
    site: Destinations
    language: Language
    _periods: dict[PeriodKind, dict[str, str]] = field(default_factory=dict)
    _facts: dict[PeriodKind, dict[str, Any]] = field(default_factory=dict)
    _made: dict[tuple[PeriodKind, str], ReportFile] = field(default_factory=dict)

    @classmethod
    def opened(cls, config: Path, state: StateFolder, clock: Clock) -> _Desk:
        """Read the site.

        Raises:
            ConfigErrors: it has a mistake.
        """
        with own_rights():  # the daemon's user could change what a child of that user answers
            site = read_destinations(config)
        return cls(config, state, clock, site, language_of(site.language))

    def period(self, every: PeriodKind) -> dict[str, str]:
        """Return the last period of a kind that is over, as the daemon's clock has it.

        Raises:
            ControlError: the daemon does not answer, or its days are none.
        """
        if every not in self._periods:
            found = self._ask(ReadReportPeriod(every.value))
            try:
                days = {"first": _checked_day(found.first), "last": _checked_day(found.last)}
                named = str(found.id)[:_LONGEST_ID]
            except (TypeError, ValueError) as error:
                raise _foreign() from error
            self._periods[every] = {"kind": every.value, **days, "id": named}
        return self._periods[every]

    def _ask(self, asked: OperationRequest[AnswerT]) -> AnswerT:
        socket = self.state.control_socket
        return asked.answer_of(control.ask(socket, asked.command, **asked.arguments))

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
        found = self.site.alerts
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
        names = tuple(attachment.name for attachment in attachments)
        blanks = max(len(one.blanks) for one in made)
        about = {**self.period(wanted.every), "school": self.site.school}
        letter = letter_of(about, names, blanks, Texts(self.language))
        with own_rights():  # the password's file is of another user
            Mail(found.mail, self.config, self.clock, _MAIL_LIMITS).send(letter, attachments)
        return names

    def _file(self, every: PeriodKind, name: str) -> ReportFile:
        if (every, name) not in self._made:
            facts, template = self._facts_of(every), None
            if name == "docx" and self.site.report.template:
                template = base64.b64decode(self._ask(ReadReportTemplate()) or "") or None
            request = ReportRequest(facts, name, self.language, template=template)
            self._made[every, name] = report_run.make(request)
        return self._made[every, name]

    def _facts_of(self, every: PeriodKind) -> dict[str, Any]:
        if every not in self._facts:
            asked = ReadReportFacts(**self.period(every), scope=WHOLE_SCHOOL)
            self._facts[every] = self._ask(asked)
        return self._facts[every]

    def _name(self, every: PeriodKind, name: str) -> str:
        """Return the name of a file, of which the daemon has said two days."""
        about = {**self.period(every), "audience": _OUTSIDE.value, "scope": ""}
        return file_name(about, name, self.language)


def _checked_day(day: Any) -> str:
    """Return a day of the daemon's, which becomes part of a file's name.

    Raises:
        TypeError, ValueError: it is none.
    """
    if _is_date(day) is None:
        raise ValueError
    return str(day)


def _foreign() -> ControlError:
    return ControlError(say("the running filterd is of another release; restart it"))


def letter_of(
    about: Mapping[str, str], names: tuple[str, ...], blanks: int, texts: Texts
) -> ReportLetter:
    """Return the mail that brings files.

    Args:
        about: ``first`` and ``last`` day in ISO 8601, and the name of the ``school``.
        names: of the files.
        blanks: how many places a person fills in.
        texts: of the language.
    """
    first, last = (f"{day[8:]}/{day[5:7]}/{day[:4]}" for day in (about["first"], about["last"]))
    school = " ".join(about["school"].split())
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
    return ReportLetter(
        subject, "\n\n".join(texts(paragraph) for paragraph in paragraphs if paragraph) + "\n"
    )


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
