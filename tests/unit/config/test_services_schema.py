# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import pytest

from filterd.config.services_schema import ServiceEntry
from filterd.documents import parse, validate
from filterd.errors import ConfigErrors


def _service(**changes: str) -> ServiceEntry:
    keys = {"name": "Thi", "group": "education", "names": "[thi.example]", **changes}
    text = "".join(f"{key}: {value}\n" for key, value in keys.items())
    return validate(parse(text.encode(), "site.yaml"), ServiceEntry)


def test_one_text_is_the_name_in_both_languages() -> None:
    assert _service().name.model_dump() == {"vi": "Thi", "en": "Thi"}
    assert _service(name="{vi: Thi, en: Exam}").name.en == "Exam"


def test_names_are_wire_names() -> None:
    assert _service(names="[THI.example]").names == (b"\3thi\7example\0",)


@pytest.mark.parametrize(
    ("key", "value", "says"),
    [
        ("names", "[]", "names: it needs 1 or more"),
        ("names", "[com.vn]", "'com.vn' is a suffix under which strangers register names"),
        ("names", "['*.thi.example']", "a name needs no"),
        ("names", "[https://thi.example/]", "is an address of a page"),
        ("min_age", "19", "it must be 18 or less"),
        ("group", "Education", "group: "),
        ("name", "{vi: Thi}", "the key 'en' is missing"),
        ("domains", "[a.example]", "unknown key 'domains'"),
    ],
)
def test_a_wrong_value_is_told(key: str, value: str, says: str) -> None:
    with pytest.raises(ConfigErrors) as caught:
        _service(**{key: value})
    assert says in str(caught.value)
