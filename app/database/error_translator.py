"""Translates errors of SQLAlchemy and the driver into the service's own, with Russian messages."""

from collections.abc import Iterator
from contextlib import contextmanager

from app.database.failures import (
    DATABASE_ERRORS,
    describe_denial,
    describe_outage,
    describe_refusal,
)
from app.errors import DatabaseDeniedError, DatabaseRefusedError, DatabaseUnavailableError

_ADVICE = "проверьте адрес, имя, пароль и сам сервер"
_EMBEDDED = "Встроенный Postgres"
_EMBEDDED_ADVICE = (
    "если он остановился, то запускается снова сам: повторите через минуту, подробности в файле"
    " postgres.log в DATA_DIR"
)


class ErrorTranslator:
    """Translates the errors of one server. ``name``: what messages call it.

    ``setting``: the name of its address.
    """

    def __init__(self, setting: str, *, embedded: bool) -> None:
        self.name = _EMBEDDED if embedded else f"{setting}: Postgres"
        self._advice = _EMBEDDED_ADVICE if embedded else _ADVICE

    @contextmanager
    def translate(self) -> Iterator[None]:
        """Translate the errors of the context; others pass."""
        try:
            yield
        except DATABASE_ERRORS as error:
            if refusal := describe_refusal(error):
                raise DatabaseRefusedError(self._build_message(refusal)) from None
            if reason := describe_outage(error):
                raise self.build_outage(reason) from None
            if denial := describe_denial(error):
                raise DatabaseDeniedError(
                    f"{self.name}: роли не хватает прав ({denial}); их выдаёт GRANT.", denial
                ) from None
            raise

    def build_outage(self, reason: str) -> DatabaseUnavailableError:
        """Return the error for a server that is currently unavailable."""
        return DatabaseUnavailableError(self._build_message(reason))

    def _build_message(self, reason: str) -> str:
        return f"{self.name} недоступен ({reason}); {self._advice}."
