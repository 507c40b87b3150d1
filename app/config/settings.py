"""All settings of the service, read once from the environment and ``.env`` and validated."""

from datetime import timedelta
from typing import Literal, get_args

from pydantic_settings import (
    BaseSettings,
    EnvSettingsSource,
    PydanticBaseSettingsSource,
    SettingsConfigDict,
)

from app.config.api import ApiFields
from app.config.avito import AvitoFields
from app.config.database import DatabaseFields
from app.config.deepseek import DeepSeekFields
from app.config.grading import GradingFields
from app.config.mail import LOCAL_SENDER, MailFields
from app.config.schedule import ScheduleFields
from app.config.secret_files import SecretFiles
from app.config.server import ServerFields
from app.domain.settling import SettlingRule
from app.domain.timeliness import GRADING_HOURS
from app.errors import SettingsError

Need = Literal["api", "avito", "deepseek", "mail"]
"""Settings that a command requires: API keys, Avito access, DeepSeek access, mail recipients."""

SETTINGS_FILE = ".env"


class Settings(
    # pydantic collects the fields from the last base to the first: docs/configuration.md and the
    # error lines begin with the database.
    ServerFields,
    GradingFields,
    ScheduleFields,
    MailFields,
    DeepSeekFields,
    AvitoFields,
    ApiFields,
    DatabaseFields,
    BaseSettings,
):
    """All settings as one frozen object. A field is the environment variable's name in lower case.

    - A field's ``description`` is the Russian end of the error line, after "нужно:".
    - A field's docstring is its row in docs/configuration.md (`make snapshot`).
    - Names of durations contain the unit.
    - Values are never printed, because many are secrets.
    """

    model_config = SettingsConfigDict(
        env_file=SETTINGS_FILE,
        env_ignore_empty=True,
        extra="ignore",
        frozen=True,
        hide_input_in_errors=True,
        validate_default=True,
    )

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,
        file_secret_settings: PydanticBaseSettingsSource,
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        """Return the sources: arguments, secrets in files, environment, ``.env``."""
        variables = [
            source
            for source in (env_settings, dotenv_settings)
            if isinstance(source, EnvSettingsSource)
        ]
        return init_settings, SecretFiles(settings_cls, *variables), *variables

    @property
    def settling(self) -> SettlingRule:
        """The rule of when a conversation is over."""
        return SettlingRule(
            timedelta(minutes=self.settle_minutes),
            self.working_hours or GRADING_HOURS,
            self.report_timezone,
        )

    def require(self, *needs: Need) -> None:
        """Check that the settings which a command needs are set.

        Raises:
            SettingsError: names the first missing setting.
        """
        for need in get_args(Need):
            if need in needs and (message := self._describe_missing(need)):
                raise SettingsError(message)

    def _describe_missing(self, need: Need) -> str | None:
        match need:
            case "api" if not self.api_keys:
                return "API_KEYS: не задано; придумайте длинный ключ, им защищён REST."
            case "avito" if not self.accounts:
                return (
                    "AVITO_CLIENT_ID: не задано; ключи выдаёт Авито: «Для профессионалов» →"
                    " «Интеграции»."
                )
            case "deepseek" if not self.deepseek_api_key:
                return "DEEPSEEK_API_KEY: не задано; ключ выдаёт platform.deepseek.com → API keys."
            case "mail" if self.smtp_host and not self.report_recipients:
                return "REPORT_RECIPIENTS: не задано; укажите через запятую, кому слать отчёт."
            case "mail" if self.smtp_host and self.sender == LOCAL_SENDER:
                return "MAIL_FROM: не задано; укажите адрес, от имени которого уходит отчёт."
            case _:
                return None
