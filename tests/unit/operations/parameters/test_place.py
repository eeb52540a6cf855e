# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import pytest

from filterd.base.errors import ConfigError
from filterd.operations.parameters.place import PageNumber, RowPlace
from filterd.operations.parameters.scalar import Fields


def test_the_socket_has_a_place_by_another_name() -> None:
    assert RowPlace().take({"cursor": "x"}) == RowPlace().take({"after": "x"}) == "x"
    assert (RowPlace().take({}), RowPlace().arguments("")) == ("", {})
    assert PageNumber().take({"cursor": "7"}) == PageNumber().take({"page": 7}) == 7
    assert (PageNumber().take({}), PageNumber().arguments(1)) == (1, {"page": 1})


@pytest.mark.parametrize("cursor", ["0", "1000", "x"])
def test_a_page_that_cannot_be_is_refused(cursor: str) -> None:
    with pytest.raises(ConfigError):
        Fields(PageNumber.named).read({"cursor": cursor})
