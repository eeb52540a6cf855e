# SPDX-License-Identifier: Apache-2.0
"""What Typer says is wrong with the words of a command, as filterd says it.

``{sentence}`` is one of these sentences itself, ``{metavar}`` has words of the
help; all else in braces is said again as it stands. The first that fits holds,
so what adds to a sentence stands before the sentences.
"""

from __future__ import annotations

SENTENCES: dict[str, tuple[str, str]] = {  # Typer's, without the full stop: Vietnamese, English
    "{sentence} (see `{command} --help`)": (
        "{sentence} (xem `{command} --help`)",
        "{sentence} (see `{command} --help`)",
    ),
    "{sentence}. Did you mean {names}?": (
        "{sentence}; có phải là {names} không?",
        "{sentence}; did you mean {names}?",
    ),
    "{sentence} Did you mean {names}?": (
        "{sentence}; có phải là {names} không?",
        "{sentence}; did you mean {names}?",
    ),
    "{sentence} (Possible options: {names})": (
        "{sentence}; có phải là {names} không?",
        "{sentence}; did you mean {names}?",
    ),
    "No such command {name}": ("không có lệnh {name}", "No such command {name}"),
    "Missing command": ("thiếu lệnh", "Missing command"),
    "No such option: {option}": ("không có tùy chọn {option}", "No such option: {option}"),
    "Missing argument '{metavar}'": ("thiếu tham số '{metavar}'", "Missing argument '{metavar}'"),
    "Missing option {option}": ("thiếu tùy chọn {option}", "Missing option {option}"),
    "Option {option} requires an argument": (
        "tùy chọn {option} cần có giá trị",
        "Option {option} requires an argument",
    ),
    "Option {option} requires {number} arguments": (
        "tùy chọn {option} cần {number} giá trị",
        "Option {option} requires {number} arguments",
    ),
    "Option {option} does not take a value": (
        "tùy chọn {option} không nhận giá trị",
        "Option {option} takes no value",
    ),
    "Got unexpected extra argument{number} ({given})": (
        "thừa tham số: {given}",
        "unexpected extra argument: {given}",
    ),
    "Invalid value for '--{option}': {sentence}": (
        "giá trị của '--{option}' sai: {sentence}",
        "'--{option}' has a wrong value: {sentence}",
    ),
    "Invalid value for '{metavar}': {sentence}": (
        "giá trị của '{metavar}' sai: {sentence}",
        "'{metavar}' has a wrong value: {sentence}",
    ),
    "Input should be a valid integer{more}": ("phải là số nguyên", "it must be a whole number"),
    "Unable to parse input string as an integer, exceeded maximum size": (
        "số quá lớn",
        "the number is too large",
    ),
    "Input should be greater than or equal to {number}": (
        "phải từ {number} trở lên",
        "it must be {number} or more",
    ),
    "Input should be less than or equal to {number}": (
        "không được quá {number}",
        "it must be {number} or less",
    ),
    "{given} is not a valid int{more}": (
        "{given} không phải số nguyên",
        "{given} is no whole number",
    ),
    "{given} is not in the range {range}": (
        "{given} không nằm trong khoảng {range}",
        "{given} is not in the range {range}",
    ),
}
