"""Flags and their Russian labels."""

import pytest

from app.domain.flags import Flag, addresses_grader_label
from app.domain.messages import Side


@pytest.mark.parametrize("flag", Flag)
def test_each_flag_is_said_in_russian(flag: Flag) -> None:
    assert flag.label[0] in "абвгдежзиклмнопрстуфхцчшщэюя"


def test_who_speaks_to_the_grader_is_said_where_it_is_known() -> None:
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
