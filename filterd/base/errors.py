# SPDX-License-Identifier: Apache-2.0
"""The error hierarchy: each class is for the people that must act on it.

Every message is one line: the error, its place, the remedy. A *block* is a
value, never an exception; a bug stays an ``AssertionError`` or ``TypeError``.

A message for people is a ``Sentence``: ``str(error)`` is its English, for logs
and tests, and ``error.translated(language)`` the text that a command prints. Errors of
single queries (``WireError``, ``UpstreamError``) are not shown and are plain text.
"""

from __future__ import annotations

import re
from contextlib import contextmanager
from typing import TYPE_CHECKING

from filterd.texts import i18n
from filterd.texts.i18n import UNSAID, Sentence, say

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence
    from typing import Any

    from filterd.texts.i18n import Language

_CODE = re.compile(r"[a-z-]{1,40}")


class FilterdError(Exception):
    """The root.

    ``exit_code`` is what a command returns when it ends with this error; ``code``
    names the error to scripts and stays the same from release to release.
    ``is_printed`` where the command's JSON has the error already.
    """

    code = "error"
    exit_code = 2
    is_printed = False

    @property
    def sentence(self) -> Sentence:
        """The whole error, for another error that contains it."""
        return i18n.quoted(str(self))

    def translated(self, language: Language) -> str:
        """Return the error as a person reads it, a line a problem."""
        return i18n.translated(self.sentence, language)


class TellableError(FilterdError):
    """An error whose one sentence also has the place and the remedy."""

    def __init__(self, sentence: Sentence) -> None:
        self._sentence = sentence
        super().__init__(sentence)

    @property
    def sentence(self) -> Sentence:
        """What it was made from."""
        return self._sentence


class ConfigError(FilterdError):
    """The operator must act: a configuration file is wrong.

    Args:
        reason: what is wrong, without the place.
        path: the file, as the operator would name it.
        line, column: 1-based; 0 where no place is known.
        hint: what to do about it.
    """

    code = "config"

    def __init__(
        self,
        reason: Sentence,
        *,
        path: str = "",
        line: int = 0,
        column: int = 0,
        hint: Sentence = UNSAID,
    ) -> None:
        self.reason, self.path, self.line, self.column, self.hint = reason, path, line, column, hint
        super().__init__(str(self))

    @property
    def place(self) -> str:
        """``file:line:column``, as far as it is known."""
        parts = [self.path, str(self.line or ""), str(self.column or "")]
        return ":".join(part for part in parts if part)

    def __str__(self) -> str:
        return str(self.sentence)

    @property
    def sentence(self) -> Sentence:
        """Place and reason, and the hint in brackets."""
        where = say("{place}: ", place=self.place) if self.place else UNSAID
        hint = say(" ({hint})", hint=self.hint) if self.hint else UNSAID
        return say("{where}{reason}{hint}", where=where, reason=self.reason, hint=hint)


class ConfigErrors(ConfigError):  # noqa: N818 -- the plural is meant
    """All that is wrong with the configuration.

    So one run shows everything to mend. It prints as one line a problem; ``errors`` holds them, at
    least one.
    """

    def __init__(self, errors: Iterable[ConfigError]) -> None:
        self.errors = tuple(errors)
        first = self.errors[0]
        super().__init__(
            first.reason, path=first.path, line=first.line, column=first.column, hint=first.hint
        )

    @property
    def sentence(self) -> Sentence:
        """A line a problem."""
        lines = {f"line_{number}": error.sentence for number, error in enumerate(self.errors)}
        return Sentence("\n".join(f"{{{line}}}" for line in lines), lines)


def excluding(first: str, second: str, hint: Sentence = UNSAID) -> ConfigError:
    """Return the error of two values that cannot be given together."""
    reason = say("{first} and {second} exclude each other", first=first, second=second)
    return ConfigError(reason, hint=say("give only one of them") if hint is UNSAID else hint)


class ChangeError(ConfigError):
    """The author of a change must act: it cannot be made in this form."""

    code = "change"


class ListError(TellableError):
    """A list's author must act."""

    code = "list"


class IndexFormatError(ListError):
    """The index file is damaged or of another version: keep the last good one."""

    code = "index-format"


class WireError(FilterdError):
    """The sender of a message must act. ``offset`` is the octet where parsing stopped."""

    code = "wire"

    def __init__(self, reason: str, offset: int = 0) -> None:
        self.reason, self.offset = reason, offset
        super().__init__(f"{reason} at octet {offset}")


class TruncatedMessageError(WireError):
    """Something runs past the end of the message."""

    code = "wire-truncated"


class BadPointerError(WireError):
    """A compression pointer does not point strictly backwards."""

    code = "wire-pointer"


class BadLabelError(WireError):
    """A label or name is longer than RFC 1035 allows, or of an unknown type."""

    code = "wire-label"


class BadCountError(WireError):
    """The header's counts and the message disagree, or a count is not allowed."""

    code = "wire-count"


class BadEdnsError(WireError):
    """The OPT record is malformed, repeated, or not in the additional section."""

    code = "wire-edns"


class CostlyMessageError(WireError):
    """The message would take more work to parse than any honest one."""

    code = "wire-cost"


class NameTextError(WireError):
    """A text is not a domain name."""

    code = "name-text"


class UpstreamError(FilterdError):
    """An upstream did not give a usable answer; the client gets SERVFAIL."""

    code = "upstream"


class UpstreamTimeoutError(UpstreamError):
    """No usable answer came before the deadline."""

    code = "upstream-timeout"


class UpstreamUnreachableError(UpstreamError):
    """Nothing could be sent to the upstream."""

    code = "upstream-unreachable"


class UpstreamOverloadError(UpstreamError):
    """There are too many questions at the moment; the cause is not this question."""

    code = "upstream-overload"


class UpstreamMalformedError(UpstreamError):
    """The upstream's answer could not be parsed."""

    code = "upstream-malformed"


class FeedError(TellableError):
    """The feed cannot be fetched or published; the last good version stays in force.

    Each reason below has an exit code of its own, for timers and scripts.
    """

    code = "feed"
    exit_code = 20


class FetchError(FeedError):
    """Nothing usable came, for now: the feed's carrier must act; worth another try.

    ``retry_after_s`` is the pause that the server asks for, or 0; ``status`` its HTTP
    status, or 0 if that is not the reason; ``is_unreached`` that no connection came about.
    """

    code = "feed-fetch"
    exit_code = 30
    retry_after_s = 0.0
    status = 0
    is_unreached = False


class MissingFileError(FetchError):
    """The server or folder does not have the file, or will not hand it out."""

    code = "feed-file-missing"
    exit_code = 31


class ForeignContentError(FetchError):
    """Something else answers in the feed's place, as a captive portal does."""

    code = "feed-foreign-content"
    exit_code = 32


class CutShortError(FetchError):
    """The file ended before what was announced of it."""

    code = "feed-cut-short"
    exit_code = 33


class TooLargeError(FetchError):
    """More came than was signed for or than is allowed."""

    code = "feed-too-large"
    exit_code = 34


class TooSlowError(FetchError):
    """It takes longer than is allowed, all in all or for each octet."""

    code = "feed-too-slow"
    exit_code = 35


class RedirectError(FetchError):
    """The server points to another host or to another way of asking."""

    code = "feed-redirect"
    exit_code = 36


class TrustError(FeedError):
    """What came must not be trusted; to ask again for the same is of no use."""

    code = "feed-trust"
    exit_code = 40


class SignatureError(TrustError):
    """Too few of the keys that count have signed."""

    code = "feed-signature"
    exit_code = 41


class RollbackError(TrustError):
    """It is older than what has been seen, or not what the newest snapshot names."""

    code = "feed-rollback"
    exit_code = 42


class ExpiredError(TrustError):
    """It has expired: newer ones are withheld, or none are published."""

    code = "feed-expired"
    exit_code = 43


class DigestError(TrustError):
    """The octets are not those that were signed for."""

    code = "feed-digest"
    exit_code = 44


class MetadataFormatError(TrustError):
    """It is no file of the feed under that name, even with a valid signature."""

    code = "feed-metadata-format"
    exit_code = 45


class NoTrustError(TrustError):
    """The site has not been given a root to trust, or the one it has is damaged."""

    code = "feed-no-trust"
    exit_code = 46


class GuardError(FeedError):
    """It is authentic, and held: to put it in force would do harm."""

    code = "feed-held"
    exit_code = 50


class RefusedVersionError(GuardError):
    """It is authentic, and refused: by the guard, or before by an administrator."""

    code = "feed-refused"


class EnvelopeError(TellableError):
    """A signed file must not be believed; its sender must make it again.

    Each reason below has an exit code of its own, for scripts.
    """

    code = "envelope"
    exit_code = 60


class EnvelopeFormatError(EnvelopeError):
    """It is no such file: cut short, too long, or written in another form."""

    code = "envelope-format"
    exit_code = 61


class EnvelopeSignatureError(EnvelopeError):
    """It was changed after it was signed, or another key has signed it."""

    code = "envelope-signature"
    exit_code = 62


class DeliveryError(TellableError):
    """An alert could not be sent: its server or its secret must be looked at."""

    code = "alert-delivery"


class StoreError(TellableError):
    """The disk must be looked at: a file could not be read or written."""

    code = "store"


class UpdateError(TellableError):
    """The administrator must act: a release is not installed, or was taken back."""

    code = "update"


class InUseError(StoreError):
    """Another process works on the same files."""

    code = "in-use"


class ControlError(TellableError):
    """The daemon could not be reached or did not understand."""

    code = "control"


def to_plain(error: FilterdError) -> dict[str, Any]:
    """Return an error as plain data, for another process.

    The data has its text, its code, and its parts if any.
    """
    parts = [_part(one) for one in parts_of(error)]
    plain: dict[str, Any] = {"error": str(error), "code": error.code, "errors": parts}
    if isinstance(error, TellableError):
        plain["sentence"] = i18n.to_plain(error.sentence)
    return plain


def as_text(error: FilterdError) -> dict[str, Any]:
    """Return an error as plain data for scripts.

    It is as ``to_plain`` returns it, with English for sentences.
    """
    plain = to_plain(error)
    plain.pop("sentence", None)
    for part, one in zip(plain["errors"], parts_of(error), strict=True):
        part.update(reason=str(one.reason), hint=str(one.hint))
    return plain


def from_plain(data: Mapping[str, Any]) -> FilterdError:
    """Return the error that another process has sent; it keeps its code.

    Raises:
        TypeError, KeyError, ValueError: the data is none that ``to_plain`` makes.
    """
    parts = [_from_part(part) for part in data["errors"]]
    error: FilterdError
    if parts:
        error = ConfigErrors(parts)
    else:
        error = ControlError(i18n.from_plain(data.get("sentence", str(data["error"]))))
    code = data.get("code")  # an earlier release sends none
    if isinstance(code, str) and _CODE.fullmatch(code):
        error.code = code
    return error


def parts_of(error: FilterdError) -> Sequence[ConfigError]:
    """Return the problems of an error that have places; none of another error."""
    return getattr(error, "errors", (error,)) if isinstance(error, ConfigError) else ()


def _part(error: ConfigError) -> dict[str, Any]:
    reason, hint = i18n.to_plain(error.reason), i18n.to_plain(error.hint)
    place = {"path": error.path, "line": error.line, "column": error.column}
    return {"reason": reason, **place, "hint": hint}


def _from_part(part: Mapping[str, Any]) -> ConfigError:
    reason, hint = i18n.from_plain(part["reason"]), i18n.from_plain(part["hint"])
    place = {key: part[key] for key in ("path", "line", "column")}
    return ConfigError(reason, **place, hint=hint)


class Problems:
    """Collects errors, and raises them together."""

    def __init__(self) -> None:
        self._errors: list[ConfigError] = []

    def add(self, error: ConfigError) -> None:
        """Note one problem, or all problems of one error."""
        self._errors.extend(error.errors if isinstance(error, ConfigErrors) else (error,))

    @contextmanager
    def noting(self) -> Iterator[None]:
        """Note a ConfigError that ends the block, and go on behind it."""
        try:
            yield
        except ConfigError as error:
            self.add(error)

    def raise_if_any(self) -> None:
        """End here if anything was wrong.

        Raises:
            ConfigErrors: all that was noted, in the order of files and lines.
        """
        if self._errors:
            raise ConfigErrors(sorted(self._errors, key=lambda e: (e.path, e.line, e.column)))
