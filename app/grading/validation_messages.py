"""Describe faults found by pydantic in Russian, without the value, which is untrusted text."""

import re

from pydantic import ValidationError

_PLAIN_KEY = re.compile(r"[a-z][a-z0-9_]{0,39}")
_FAULTS = {
    "missing": "поля нет",
    "extra_forbidden": "лишнее поле",
    "string_type": "должна быть строка",
    "string_too_short": "пустая строка",
    "string_too_long": "слишком длинный текст",
    "string_pattern_mismatch": "недопустимые знаки",
    "int_type": "должно быть целое число",
    "int_parsing": "должно быть целое число",
    "float_type": "должно быть число",
    "float_parsing": "должно быть число",
    "finite_number": "должно быть конечное число",
    "greater_than": "число должно быть больше нуля",
    "bool_type": "должно быть true или false",
    "bool_parsing": "должно быть true или false",
    "enum": "такого значения нет в списке допустимых",
    "tuple_type": "должен быть список",
    "list_type": "должен быть список",
    "dict_type": "должен быть объект",
    "model_type": "должен быть объект",
    "too_short": "слишком мало элементов",
    "too_long": "слишком много элементов",
}


def describe_validation_error(error: ValidationError) -> str:
    """Return the first three faults with their fields: "criteria.clarity.grade: поля нет; …"."""
    return "; ".join(
        f"{_path(fault['loc'])}: {_fault(fault['type'], fault.get('ctx'))}"
        for fault in error.errors()[:3]
    )


def _path(loc: tuple[int | str, ...]) -> str:
    keys = [
        str(key) if isinstance(key, int) or _PLAIN_KEY.fullmatch(key) else "…"
        for key in loc
        if key != "[key]"
    ]
    return ".".join(keys) or "весь объект"


def _fault(kind: str, context: dict[str, object] | None) -> str:
    if kind == "value_error" and context:
        return str(context["error"])
    return _FAULTS.get(kind, "недопустимое значение")
