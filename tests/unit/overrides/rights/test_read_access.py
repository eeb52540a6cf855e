# SPDX-License-Identifier: Apache-2.0
import pytest

from filterd.base.errors import ControlError
from filterd.overrides.rights.read_access import READERS, RECORDED, View, check_view
from filterd.overrides.rights.roles import Author, Role


def member(*roles: Role) -> Author:
    return Author.of(1000, "lan", [role.group for role in roles], own_uid=999)


def may(author: Author, view: View) -> bool:
    try:
        check_view(author, view)
    except ControlError:
        return False
    return True


@pytest.mark.parametrize("view", View)
@pytest.mark.parametrize("role", Role)
def test_a_role_sees_what_the_table_has_and_nothing_else(role: Role, view: View) -> None:
    assert may(member(role), view) == (role in READERS[view])


def test_names_and_rows_are_for_administrators_alone() -> None:
    for view in (View.NAMES, View.ROWS):
        assert [role for role in Role if may(member(role), view)] == [Role.ADMIN]
        assert may(Author.of(0, "root", [], own_uid=999), view)


def test_a_person_may_have_several_roles() -> None:
    both = member(Role.TEACHER, Role.PRINCIPAL)
    assert may(both, View.CLASS_TOTALS)
    assert may(both, View.EXPORT)


def test_a_refusal_names_the_groups_that_may() -> None:
    with pytest.raises(ControlError, match="filterd-admin"):
        check_view(member(Role.TEACHER), View.ROWS)


def test_a_refusal_names_these_groups_and_no_others() -> None:
    with pytest.raises(ControlError) as refused:
        check_view(member(Role.TEACHER), View.EXPORT)
    groups = str(refused.value).partition("may: ")[2].split(", ")
    assert groups == [role.group for role in Role if role in (Role.PRINCIPAL, Role.ADMIN)]
    assert str(refused.value).startswith("lan may not look at ")


def test_who_sees_what_is_the_table_of_the_school() -> None:
    assert {view.value: {role.value for role in roles} for view, roles in READERS.items()} == {
        "totals": {"reader", "teacher", "principal", "inspector", "admin"},
        "class-totals": {"teacher", "admin"},
        "class-names": {"teacher", "admin"},
        "names": {"admin"},
        "rows": {"admin"},
        "live": {"teacher", "admin"},
        "help": {"principal"},
        "export": {"principal", "admin"},
        "day": {"inspector", "principal", "admin"},
        "inspection": {"inspector", "principal", "admin"},
    }
    assert {view.value for view in RECORDED} == {
        *("class-names", "names", "rows", "help", "export", "inspection")
    }
