"""Flags and their Russian labels."""

import pytest

from app.domain.flags import Flag, addresses_grader_label, describe_flag
from app.domain.messages import Side


@pytest.mark.parametrize("flag", Flag)
def test_each_flag_has_a_russian_label(flag: Flag) -> None:
    assert flag.label[0] in "абвгдежзиклмнопрстуфхцчшщэюя"


def test_stored_flag_of_a_later_release_is_described_by_its_code() -> None:
    assert describe_flag("critical") == Flag.CRITICAL.label
    assert describe_flag("unheard_of") == "unheard_of"


def test_label_names_the_side_that_addresses_the_grader_if_known() -> None:
    labels = [
        addresses_grader_label(sides)
        for sides in ([], [Side.CLIENT], [Side.COMPANY] * 2, [Side.COMPANY, Side.CLIENT])
    ]
    assert labels[0] == Flag.ADDRESSES_GRADER.label
    assert [label.split(" обраща")[0] for label in labels[1:]] == [
        "покупатель",
        "продавец",
        "покупатель и продавец",
    ]
    assert all(label.endswith("к проверяющему") for label in labels)
