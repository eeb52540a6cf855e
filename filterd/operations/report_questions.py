# SPDX-License-Identifier: Apache-2.0
"""Ask what a person fills into a report, and check the answers."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

from filterd.base.errors import ConfigError
from filterd.operations.parameters.scalar import Text, Whole
from filterd.texts.i18n import Sentence, did_you_mean, quoted, say

if TYPE_CHECKING:
    from collections.abc import Mapping

    from filterd.operations.parameters.scalar import Parameter
    from filterd.texts.i18n import Texts

LONGEST = 4_000
"""Characters of an answer."""


class ReportQuestion(NamedTuple):
    """A question; ``section`` is the id of the section in which its answer stands."""

    id: str
    section: str
    text: Sentence
    is_number: bool = False


QUESTIONS = (
    ReportQuestion("number", "head", say("Number of the document")),
    ReportQuestion("pupils", "school", say("Number of pupils"), is_number=True),
    ReportQuestion("regulations", "documents", say("Documents and regulations issued")),
    ReportQuestion(
        "devices", "measures", say("Number of devices that use the network"), is_number=True
    ),
    ReportQuestion("sessions", "education", say("Awareness sessions held"), is_number=True),
    ReportQuestion("session-pupils", "education", say("Pupils who attended"), is_number=True),
    ReportQuestion("session-staff", "education", say("Staff who attended"), is_number=True),
    ReportQuestion("session-parents", "education", say("Parents who attended"), is_number=True),
    ReportQuestion("incidents", "handling", say("Incidents handled by the school")),
    ReportQuestion("training", "training", say("Training of staff")),
    ReportQuestion("inspections", "inspection", say("Inspections of the school, and findings")),
    ReportQuestion("difficulties", "proposals", say("Difficulties")),
    ReportQuestion("proposals", "proposals", say("Proposals")),
)
"""All questions, in the order of the report; a new one is a line here."""

ANSWERS = {one.id: f"answer_{one.id.replace('-', '_')}" for one in QUESTIONS}
"""The field of each question."""
_BY_ID = {one.id: one for one in QUESTIONS}


class AnswersField:
    """The fields of the answers, which are a dictionary by the ids of questions."""

    @property
    def named(self) -> Mapping[str, Parameter]:
        """The fields."""
        return {
            ANSWERS[one.id]: (
                Whole(0, 10_000_000, str(one.text))
                if one.is_number
                else Text(LONGEST, about=str(one.text), lines=True)
            )
            for one in QUESTIONS
        }

    def take(self, given: dict[str, Any]) -> dict[str, Any]:
        """Take the answers out of checked values."""
        return {id_: given.pop(name) for id_, name in ANSWERS.items() if name in given}

    def arguments(self, value: dict[str, Any]) -> dict[str, Any]:
        """Return the answers by their fields."""
        return {ANSWERS[id_]: answer for id_, answer in value.items()}


def to_fill_in(question: str, texts: Texts) -> str:
    """Return the mark in the place of an answer that is missing."""
    return texts(say("[fill in: {what}]"), what=question)


def skeleton(texts: Texts) -> str:
    """Return the YAML to fill in: each question above the key of its answer."""
    about = texts(say("Write each answer behind its colon; an empty one is marked in the report."))
    return f"# {about}\n" + "".join(f"\n# {texts(one.text)}\n{one.id}:\n" for one in QUESTIONS)


def checked_answers(given: Mapping[str, Any]) -> dict[str, str]:
    """Return the answers to known questions, without empty ones.

    Raises:
        ConfigError: a key is no question, or an answer is not a text or number, or too long.
    """
    answers = dict[str, str]()
    for key, value in given.items():
        question = _BY_ID.get(key)
        if question is None:
            raise ConfigError(
                say("'{key}' is not a question of the report", key=str(key)[:40]),
                hint=did_you_mean(str(key), list(_BY_ID)),
            )
        is_whole = isinstance(value, int) and not isinstance(value, bool) and value >= 0
        text = str(value).strip() if is_whole or isinstance(value, str) else None
        if value is None or text == "":
            continue
        if question.is_number and not (text or "").isdecimal():
            raise ConfigError(
                say("{key}: a whole number is wanted", key=quoted(key)),
                hint=say("digits only, such as 1250"),
            )
        if text is None or len(text) > LONGEST:
            raise ConfigError(
                say(
                    "{key}: a text of at most {most} characters is wanted",
                    key=quoted(key),
                    most=LONGEST,
                )
            )
        answers[key] = text
    return answers
