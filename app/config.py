"""Settings, read once from the environment and ``.env`` and validated.

The result is a frozen object. Each field's description is the Russian end of the error line, after
"needed:". Values are never printed, because many are secrets.
"""

import json
import re
from datetime import time
from decimal import Decimal
from ipaddress import ip_address
from pathlib import Path
from typing import Annotated, Any, Literal, Self, TypeVar
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from pydantic import (
    AfterValidator,
    BaseModel,
    ConfigDict,
    Field,
    HttpUrl,
    SecretStr,
    ValidationError,
    field_validator,
    model_validator,
)
from pydantic_settings import BaseSettings, NoDecode, SettingsConfigDict

from app.addresses import MailAddress, encode_domain
from app.domain.working_hours import WorkingHours
from app.errors import SettingsError
from app.log import LogFormat

Text = TypeVar("Text", str, SecretStr)

Need = Literal["api", "avito", "deepseek", "mail"]
"""Settings that a command requires: API keys, Avito access, DeepSeek access, mail recipients."""

WEBHOOK_PATH = "/webhooks/avito/"
"""Path to which Avito posts; the secret follows it."""

_DEFAULT_PORTS = {"starttls": 587, "tls": 465, "none": 25}


def _match_whole(pattern: str) -> AfterValidator:
    """Return a validator: the whole value, secret or not, matches the pattern."""

    def check(value: Text) -> Text:
        if not re.fullmatch(
            pattern, value.get_secret_value() if isinstance(value, SecretStr) else value
        ):
            raise ValueError("not of the pattern")
        return value

    return AfterValidator(check)


def _validate_host(host: str) -> str:
    """Validate a host: a name in any letters or punycode, or an IP address.

    The resolver accepts the same.
    """
    if re.fullmatch(r"[\w.-]+", host):
        host.encode("idna")
    else:
        ip_address(host)
    return host


_HEADER_TEXT = _match_whole(r"[!-~]+")
Key = Annotated[SecretStr, _HEADER_TEXT]
_OWN_KEY = Annotated[SecretStr, _match_whole(r"[!-~]{16,}")]
"""Long enough to resist guessing."""
_PATH_TEXT = _match_whole(r"[A-Za-z0-9_-]{16,}")
_LOGIN_TEXT = _match_whole(r"[^\x00-\x1f\x7f-\x9f\ud800-\udfff]+")
"""Letters of any language and blanks.

SASL uses UTF-8 and forbids control characters (RFC 4013). Surrogates stand for bytes that were not
valid UTF-8.
"""


def _is_address(text: str) -> bool:
    try:
        MailAddress.parse(text)
    except ValueError:
        return False
    return True


class AvitoAccount(BaseModel):
    """The keys of one Avito account; ``name`` is for display (None: Avito's name of it)."""

    model_config = ConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True)

    name: str | None = None
    client_id: Annotated[str, _HEADER_TEXT]
    client_secret: Key


def _split_list(value: object) -> object:
    """Split a comma-separated list; blanks and empty items are ignored."""
    return (
        [item for part in value.split(",") if (item := part.strip())]
        if isinstance(value, str)
        else value
    )


class Settings(BaseSettings):
    """All settings of the service. A field is the environment variable's name in lower case.

    Names of durations contain the unit. The docstring of a field is its row in
    docs/configuration.md (`make snapshot`).
    """

    model_config = SettingsConfigDict(
        env_file=".env",
        env_ignore_empty=True,
        extra="ignore",
        frozen=True,
        hide_input_in_errors=True,
        validate_default=True,
    )

    database_url: SecretStr | None = Field(
        None, description="адрес вида postgresql://имя:пароль@хост:5432/база"
    )
    """Address of Postgres. If it is not set, the service runs an embedded Postgres under DATA_DIR.
    """
    database_pool_size: int = Field(10, ge=1, le=100, description="целое число от 1 до 100")
    """Maximum number of connections to Postgres. A connection that has not been used for 60 seconds
    is closed. If the server allows fewer, calls wait for a free one.
    """
    data_dir: Path = Field(Path("var"), description="путь к папке")
    """Folder of the embedded Postgres and, if SMTP_HOST is not set, of the mails as .eml files."""

    api_keys: Annotated[tuple[_OWN_KEY, ...], NoDecode] = Field(
        (), description="ключи через запятую, каждый из 16 и более латинских букв, цифр и знаков"
    )
    """Keys that REST accepts in X-API-Key, comma-separated, each of at least 16 characters. Two
    keys are valid at a time while one replaces the other. Required by `serve`.
    """

    avito_client_id: Annotated[str, _HEADER_TEXT] | None = Field(
        None, description="client_id из кабинета Авито, без пробелов и русских букв"
    )
    """Client id of one Avito account. Required, unless AVITO_ACCOUNTS is set."""
    avito_client_secret: Key | None = Field(
        None, description="client_secret из кабинета Авито, без пробелов и русских букв"
    )
    """Client secret of the same account. Required together with AVITO_CLIENT_ID."""
    avito_accounts: Annotated[tuple[AvitoAccount, ...], NoDecode] = Field(
        (),
        description=(
            'JSON-список вида [{"name": "Склад", "client_id": "…", "client_secret": "…"}], '
            "имена и client_id разные, ключи без пробелов и русских букв"
        ),
    )
    """Several accounts instead of one pair of keys: a JSON list of `{name, client_id,
    client_secret}`.
    """
    avito_base_url: HttpUrl = Field(
        HttpUrl("https://api.avito.ru"), description="адрес вида https://api.avito.ru"
    )
    """Address of Avito's API. Another address is for tests only."""
    avito_max_concurrency: int = Field(4, ge=1, le=64, description="целое число от 1 до 64")
    """Requests to Avito at a time, for each account."""
    avito_requests_per_minute: int = Field(600, ge=0, description="целое число, 0 — без предела")
    """Requests to Avito in a minute, for each account. 0: no limit."""

    avito_webhook_secret: Annotated[SecretStr, _PATH_TEXT] | None = Field(
        None, description="слово из 16 и более латинских букв, цифр, - и _"
    )
    """Last part of the webhook receiver's address, at least 16 characters. Webhooks are off unless
    PUBLIC_URL is set too.
    """
    public_url: HttpUrl | None = Field(
        None, description="адрес вида https://quality.example.ru, по которому службу видит Авито"
    )
    """Address at which Avito reaches the service. Avito posts to PUBLIC_URL/webhooks/avito/SECRET.
    `webhook subscribe` subscribes.
    """

    deepseek_api_key: Key | None = Field(
        None, description="ключ из кабинета DeepSeek, без пробелов и русских букв"
    )
    """Key of DeepSeek's API. Required for grading."""
    deepseek_base_url: HttpUrl = Field(
        HttpUrl("https://api.deepseek.com"), description="адрес вида https://api.deepseek.com"
    )
    """Address of DeepSeek or of any OpenAI-compatible server, such as vLLM or Ollama."""
    deepseek_model: str = Field("deepseek-flash", min_length=1, description="имя модели")
    """Model that grades."""
    deepseek_max_concurrency: int = Field(32, ge=1, le=2500, description="целое число от 1 до 2500")
    """Chats that are graded at a time."""
    deepseek_timeout_seconds: float = Field(
        120, gt=0, le=3600, description="число секунд больше нуля и до 3600"
    )
    """Time limit of one request to the model."""
    deepseek_omit: Annotated[
        tuple[Literal["thinking", "response_format", "temperature", "balance"], ...], NoDecode
    ] = Field((), description="слова thinking, response_format, temperature, balance через запятую")
    """Features that the server behind DEEPSEEK_BASE_URL lacks, comma-separated. They are not used.
    """
    deepseek_daily_budget_usd: Decimal | None = Field(
        None, ge=0, description="сумма в долларах, например 2.50"
    )
    """US dollars for one day of REPORT_TIMEZONE. Grading stops before the limit is exceeded; the
    other chats wait and the mail reports it. If it is not set, there is no limit.
    """

    smtp_host: Annotated[str, AfterValidator(_validate_host)] | None = Field(
        None, description="имя почтового сервера без порта и пробелов, например smtp.yandex.ru"
    )
    """Mail server. If it is not set, mails are written to DATA_DIR/outbox as .eml files."""
    smtp_port: int | None = Field(None, ge=1, le=65535, description="номер порта от 1 до 65535")
    """Port of the mail server. If it is not set, 587 for starttls, 465 for tls, 25 for none."""
    smtp_username: Annotated[str, _LOGIN_TEXT] | None = Field(
        None, description="имя пользователя почтового сервера, одной строкой"
    )
    """User name at the mail server. If it is not set, the service does not authenticate."""
    smtp_password: Annotated[SecretStr, _LOGIN_TEXT] | None = Field(
        None, description="пароль почтового сервера, одной строкой"
    )
    """Password at the mail server. Required together with SMTP_USERNAME."""
    smtp_security: Literal["starttls", "tls", "none"] | None = Field(
        None, description="starttls, tls или none"
    )
    """Encryption. If it is not set, tls on port 465, otherwise starttls."""
    smtp_ehlo_name: Annotated[str, AfterValidator(encode_domain)] | None = Field(
        None,
        description=(
            "полное имя этой машины, например reports.example.ru, или её адрес вида [203.0.113.7]"
        ),
    )
    """Name sent in EHLO: a host name, or an address literal such as [203.0.113.7]. If it is not
    set, the host name of the machine.
    """
    mail_from: str | None = Field(None, description="адрес вида reports@example.ru")
    """Sender of the mails. If it is not set, SMTP_USERNAME. Required if that is not a mail address.
    """
    report_recipients: Annotated[tuple[str, ...], NoDecode] = Field(
        (), description="почтовые адреса через запятую"
    )
    """Recipients of the mail, comma-separated. Required together with SMTP_HOST."""

    report_time: time = Field(time(20, 0), description="время ЧЧ:ММ, например 20:00")
    """Time of the daily run, in REPORT_TIMEZONE."""
    report_timezone: ZoneInfo = Field(
        ZoneInfo("Europe/Moscow"), description="название часового пояса, например Europe/Moscow"
    )
    """Time zone of dates, days and times in reports and mails. It may be changed at any time: old
    reports are then shown and found by date in the new zone. The page of a date stays in the zone
    that its newest mail names.
    """
    sync_interval_minutes: int = Field(
        15, ge=1, le=1440, description="целое число минут от 1 до 1440"
    )
    """Interval between two syncs."""
    scheduler_enabled: bool = Field(True, description="true или false")
    """Whether the scheduler runs. If false, chats are synced, graded and mailed only by a call."""
    run_deadline_minutes: float = Field(
        120, gt=0, le=1440, description="число минут больше нуля и до 1440"
    )
    """How long the daily run retries failed steps. Then the mail is sent and lists what is missing.
    """
    grade_within_days: int = Field(7, ge=1, le=3650, description="целое число дней от 1 до 3650")
    """The daily run grades only chats in which a person wrote within this many days. Older chats
    are graded by a call only, so that the import of an old account is not paid for by accident.
    """
    episode_gap_hours: float = Field(
        72, gt=0, le=8760, description="число часов больше нуля и до 8760"
    )
    """Silence after which a returning buyer begins a new episode."""
    working_hours: Annotated[WorkingHours | None, NoDecode] = Field(
        None,
        description=(
            "дни и часы вида Пн-Пт 09:00-18:00, Сб 10:00-16:00; часы не переходят через полночь"
        ),
    )
    """Days and hours, in REPORT_TIMEZONE, that count for answer times, for example `Пн-Пт
    09:00-18:00, Сб 10:00-16:00`. If it is not set, all hours count. The list of waiting buyers
    always counts all hours.
    """
    mask_personal_data: bool = Field(True, description="true или false")
    """Whether phones, addresses, names and other personal data are replaced by tokens before a text
    is sent to the model.
    """
    rubric_file: Path | None = Field(None, description="путь к файлу рубрики")
    """File with your own criteria, in the form of app/grading/rubric.json. If it is not set, that
    file is used.
    """

    docs_enabled: bool = Field(True, description="true или false")
    """Whether /docs and /openapi.json are served."""
    log_level: Literal["DEBUG", "INFO", "WARNING", "ERROR"] = Field(
        "INFO", description="DEBUG, INFO, WARNING или ERROR"
    )
    """Least level of log lines."""
    log_format: LogFormat = Field("console", description="console или json")
    """Form of log lines: console for people, json for a log collector."""
    host: str = Field("127.0.0.1", min_length=1, description="адрес, на котором слушать")
    """Address on which the service listens. 0.0.0.0: every address of the machine."""
    port: int = Field(8000, ge=1, le=65535, description="номер порта от 1 до 65535")
    """Port on which the service listens."""

    @field_validator("api_keys", "report_recipients", "deepseek_omit", mode="before")
    @classmethod
    def _split_lists(cls, value: object) -> object:
        return _split_list(value)

    @field_validator("avito_accounts", mode="before")
    @classmethod
    def _parse_json(cls, value: object) -> object:
        return json.loads(value) if isinstance(value, str) else value

    @field_validator("log_level", mode="before")
    @classmethod
    def _convert_to_upper(cls, value: object) -> object:
        return value.upper() if isinstance(value, str) else value

    @field_validator("report_timezone", mode="before")
    @classmethod
    def _parse_zone(cls, value: object) -> object:
        if isinstance(value, ZoneInfo):
            return value
        try:
            return ZoneInfo(str(value))
        except (ZoneInfoNotFoundError, ValueError, OSError) as error:
            raise ValueError("unknown zone") from error

    @field_validator("report_time", mode="before")
    @classmethod
    def _check_wall_time(cls, value: object) -> object:
        # Pydantic would parse "20" as twenty seconds past midnight.
        if isinstance(value, str) and value.count(":") != 1:
            raise ValueError("not HH:MM")
        return value

    @field_validator("working_hours", mode="before")
    @classmethod
    def _parse_hours(cls, value: object) -> object:
        return WorkingHours.parse(value) if isinstance(value, str) else value

    @field_validator("mail_from", "report_recipients")
    @classmethod
    def _check_addresses(cls, value: str | tuple[str, ...] | None) -> str | tuple[str, ...] | None:
        addresses = (value,) if isinstance(value, str) else value or ()
        for address in addresses:
            MailAddress.parse(address)
        return value if isinstance(value, str) or value is None else tuple(dict.fromkeys(value))

    @field_validator("avito_accounts")
    @classmethod
    def _check_distinct(cls, accounts: tuple[AvitoAccount, ...]) -> tuple[AvitoAccount, ...]:
        names = [account.name for account in accounts if account.name]
        if len(set(names)) < len(names) or len({account.client_id for account in accounts}) < len(
            accounts
        ):
            raise ValueError("two accounts are alike")
        return accounts

    @model_validator(mode="after")
    def _check_combinations(self) -> Self:
        if bool(self.avito_client_id) != bool(self.avito_client_secret):
            missing = "AVITO_CLIENT_SECRET" if self.avito_client_id else "AVITO_CLIENT_ID"
            raise ValueError(f"{missing}: не задано, а без пары ключи Авито не работают.")
        if self.avito_client_id and self.avito_accounts:
            raise ValueError(
                "AVITO_ACCOUNTS: задано вместе с AVITO_CLIENT_ID; оставьте что-то одно."
            )
        if bool(self.smtp_username) != bool(self.smtp_password):
            missing = "SMTP_PASSWORD" if self.smtp_username else "SMTP_USERNAME"
            raise ValueError(f"{missing}: не задано, а нужны и имя, и пароль почтового сервера.")
        if bool(self.avito_webhook_secret) != bool(self.public_url):
            missing = "PUBLIC_URL" if self.avito_webhook_secret else "AVITO_WEBHOOK_SECRET"
            raise ValueError(
                f"{missing}: не задано, а для вебхуков Авито нужны и PUBLIC_URL, и"
                " AVITO_WEBHOOK_SECRET."
            )
        return self

    @property
    def accounts(self) -> tuple[AvitoAccount, ...]:
        """The Avito accounts, from either setting."""
        if self.avito_client_id and self.avito_client_secret:
            return (
                AvitoAccount(
                    client_id=self.avito_client_id, client_secret=self.avito_client_secret
                ),
            )
        return self.avito_accounts

    @property
    def webhook_url(self) -> str | None:
        """The URL to which Avito posts, including the secret; None if webhooks are off."""
        if not (self.public_url and self.avito_webhook_secret):
            return None
        base_url = str(self.public_url).rstrip("/")
        return f"{base_url}{WEBHOOK_PATH}{self.avito_webhook_secret.get_secret_value()}"

    @property
    def sender(self) -> str:
        """The sender of the mails. Mails that become files may have any sender."""
        if self.mail_from:
            return self.mail_from
        return (
            self.smtp_username
            if self.smtp_username and _is_address(self.smtp_username)
            else "avito-quality@localhost"
        )

    @property
    def smtp_encryption(self) -> Literal["starttls", "tls", "none"]:
        """The encryption of SMTP: ``SMTP_SECURITY`` if set, otherwise chosen by the port.

        Port 465 means TLS from the first byte (RFC 8314), any other port STARTTLS.
        """
        return self.smtp_security or (
            "tls" if self.smtp_port == _DEFAULT_PORTS["tls"] else "starttls"
        )

    @property
    def smtp_server_port(self) -> int:
        """The mail server's port: the setting, or the standard port of the encryption."""
        return self.smtp_port or _DEFAULT_PORTS[self.smtp_encryption]

    def require(self, *needs: Need) -> None:
        """Check that the settings which a command needs are set.

        Raises:
            SettingsError: names the first missing setting.
        """
        if "api" in needs and not self.api_keys:
            raise SettingsError("API_KEYS: не задано; придумайте длинный ключ, им защищён REST.")
        if "avito" in needs and not self.accounts:
            raise SettingsError(
                "AVITO_CLIENT_ID: не задано; ключи выдаёт Авито: «Для профессионалов» →"
                " «Интеграции»."
            )
        if "deepseek" in needs and not self.deepseek_api_key:
            raise SettingsError(
                "DEEPSEEK_API_KEY: не задано; ключ выдаёт platform.deepseek.com → API keys."
            )
        if "mail" in needs and self.smtp_host:
            if not self.report_recipients:
                raise SettingsError(
                    "REPORT_RECIPIENTS: не задано; укажите через запятую, кому слать отчёт."
                )
            if self.sender == "avito-quality@localhost":
                raise SettingsError(
                    "MAIL_FROM: не задано; укажите адрес, от имени которого уходит отчёт."
                )


def load_settings(**overrides: Any) -> Settings:
    """Load the settings; ``overrides`` take precedence over the environment (demo and tests).

    Raises:
        SettingsError: one line that names the first invalid setting.
    """
    try:
        return Settings(**overrides)
    except ValidationError as error:
        raise SettingsError(_describe_faults(error)[0]) from None


def list_settings_faults(**overrides: Any) -> list[str]:
    """Return one line for each invalid setting; a missing setting is not invalid."""
    try:
        Settings(**overrides)
    except ValidationError as error:
        return _describe_faults(error)
    return []


def _describe_faults(error: ValidationError) -> list[str]:
    faults = error.errors(include_input=False, include_url=False)
    lines = [
        _describe_fault(str(fault["loc"][0]).lower())
        if fault["loc"]
        else str(fault["ctx"]["error"])
        for fault in faults
    ]
    return list(dict.fromkeys(lines))  # a list has a fault for each invalid element


def _describe_fault(name: str) -> str:
    return (
        f"{name.upper()}: значение не подходит; нужно: {Settings.model_fields[name].description}."
    )
