# SPDX-License-Identifier: Apache-2.0
"""A secret never stands in an error, nor in what is printed of a request."""

from __future__ import annotations

import importlib
import pkgutil
from dataclasses import is_dataclass
from typing import TYPE_CHECKING, Any, get_args, get_type_hints

import pytest

from filterd import operations
from filterd.base.errors import ConfigError
from filterd.operations.parameters.secret import Secret
from filterd.operations.request import OperationRequest
from filterd.operations.sessions import SignInByPassword
from filterd.texts.i18n import say

if TYPE_CHECKING:
    from collections.abc import Iterator

MARK = "s3cret"
WRONG: tuple[Any, ...] = (7, None, [], "\x00", "x" * 2000, {"a": "b"})


def _requests() -> Iterator[type[OperationRequest[Any]]]:
    for found in pkgutil.iter_modules(operations.__path__):
        module = importlib.import_module(f"filterd.operations.{found.name}")
        kinds = (one for one in vars(module).values() if isinstance(one, type))
        yield from (
            kind for kind in kinds if issubclass(kind, OperationRequest) and is_dataclass(kind)
        )


def _kinds(request: type[OperationRequest[Any]]) -> dict[str, Any]:
    hints = get_type_hints(request, include_extras=True)
    return {
        name: get_args(hint)[1] for name, hint in hints.items() if hasattr(hint, "__metadata__")
    }


def _secrets(request: type[OperationRequest[Any]]) -> list[str]:
    return [name for name, kind in _kinds(request).items() if isinstance(kind, Secret)]


HAVE_SECRETS = sorted({one for one in _requests() if _secrets(one)}, key=lambda one: one.command)


def test_fields_with_the_names_of_secrets_are_secrets() -> None:
    named = {one for one in _requests() if {"password", "pin", "code"} & _kinds(one).keys()}
    assert len(named) == 10
    for request in named:
        kinds = _kinds(request)
        assert {"password", "pin", "code"} & kinds.keys() <= set(_secrets(request)), request


@pytest.mark.parametrize("request_", HAVE_SECRETS, ids=lambda one: one.command)
def test_no_error_of_a_request_has_a_secret_of_it(request_: type[OperationRequest[Any]]) -> None:
    """Whatever is wrong: a secret itself, another field, or one too many."""
    secrets = dict.fromkeys(_secrets(request_), MARK)
    others = [kind for kind in _kinds(request_) if kind not in secrets]
    bad: list[dict[str, Any]] = [
        dict.fromkeys(secrets, value) for value in ([MARK], {MARK: 1}, MARK * 400, MARK + "\n")
    ]
    bad += [{**secrets, name: value} for name in others for value in WRONG]
    for given in (*bad, {**secrets, "unknown": 1}, secrets):
        assert MARK not in _printed(request_, given)


def _printed(request: type[OperationRequest[Any]], given: dict[str, Any]) -> str:
    """Return the error that refuses a request, or what is printed of one."""
    try:
        return repr(request.read(given))
    except ConfigError as error:
        return f"{error} {error.hint}"


def test_control_an_error_that_quotes_is_noticed(monkeypatch: pytest.MonkeyPatch) -> None:
    def read(_: Secret, value: Any) -> str:
        raise ConfigError(say("{value} is wrong", value=str(value)))

    monkeypatch.setattr(Secret, "read", read)
    with pytest.raises(AssertionError):
        test_no_error_of_a_request_has_a_secret_of_it(SignInByPassword)


@pytest.mark.parametrize("value", [7, None, ["x"], "", "x" * 9])
def test_a_secret_is_a_text_of_its_length(value: Any) -> None:
    with pytest.raises(ConfigError, match="a text of 1 to 8 characters"):
        Secret(8, least=1).read(value)


def test_one_that_is_chosen_has_no_control_characters() -> None:
    assert Secret(8).read("a\tb") == "a\tb"
    with pytest.raises(ConfigError, match="without control characters"):
        Secret(8, is_new=True).read("a\tb")
