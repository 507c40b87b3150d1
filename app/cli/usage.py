"""Typer's help and usage errors in Russian: its own texts are English and cannot be translated."""

import re
from datetime import date
from typing import Any

import typer
from typer import rich_utils
from typer.core import TyperArgument, TyperCommand, TyperGroup, TyperOption

rich_utils.OPTIONS_PANEL_TITLE = "Параметры"
rich_utils.COMMANDS_PANEL_TITLE = "Команды"
rich_utils.ARGUMENTS_PANEL_TITLE = "Аргументы"
rich_utils.REQUIRED_LONG_STRING = ""

_TRANSLATIONS = (
    (r"No such option: (\S+)", "нет параметра {}"),
    (r"No such command '(.+?)'", "нет команды {}"),
    (r"Missing argument '(.+?)'", "не указан {}"),
    (r"Missing command", "не сказано, что делать"),
    (r"Option '(.+)' requires an argument", "параметру {} нужно значение"),
    (r"Option '(.+)' does not take a value", "параметру {} значение не нужно"),
    (r"Got unexpected extra argument.*? \((.+)\)", "лишнее: {}"),
    (r"Invalid value for '(.+?)'", "{}: значение не подходит"),
)


def describe_usage_error(error: typer.TyperException) -> str:
    """Describe a usage error in one Russian line; our own messages are kept."""
    if isinstance(error, typer.BadParameter) and re.search("[а-я]", error.message):
        option = error.param.opts[0] if error.param else ""
        return f"{option}: {error.message}"
    english = error.format_message()
    for pattern, russian in _TRANSLATIONS:
        if found := re.search(pattern, english):
            return f"{russian.format(*found.groups())}; как надо, покажет --help."
    return "так команду не вызвать; как надо, покажет --help."


def parse_day(value: str) -> date:
    """Parse the value of an option that is a date."""
    try:
        return date.fromisoformat(value)
    except ValueError:
        raise typer.BadParameter("нужна дата ГГГГ-ММ-ДД.") from None


class Command(TyperCommand):
    """A command whose help is entirely in Russian."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **{**kwargs, "options_metavar": "[ПАРАМЕТРЫ]"})
        for param in self.params:
            if isinstance(param, TyperArgument):
                # An English word that no setting changes.
                param.display_type_rich = lambda ctx: None  # type: ignore[method-assign]

    def get_help_option(self, ctx: Any) -> TyperOption | None:
        return _translate_help_option(super().get_help_option(ctx))

    def get_usage(self, ctx: Any) -> str:
        return super().get_usage(ctx).replace("Usage:", "Вызов:", 1)


class Group(TyperGroup):
    """The list of commands, in the order in which they were added."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(
            *args, **{**kwargs, "options_metavar": "", "subcommand_metavar": "КОМАНДА [ПАРАМЕТРЫ]"}
        )

    def get_help_option(self, ctx: Any) -> TyperOption | None:
        return _translate_help_option(super().get_help_option(ctx))

    def get_usage(self, ctx: Any) -> str:
        return super().get_usage(ctx).replace("Usage:", "Вызов:", 1)


def _translate_help_option(option: TyperOption | None) -> TyperOption | None:
    if option is not None:
        option.help, option.metavar = "Показать эту справку.", ""
    return option
