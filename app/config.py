"""Settings, read once from the environment and ``.env`` and validated.

The result is a frozen object. Each field's description is the Russian end of the error line, after
"needed:". Values are never printed, because many are secrets.
"""

from datetime import time, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Annotated, Any, Literal, Self, get_args
from zoneinfo import ZoneInfo

from pydantic import Field, HttpUrl, SecretStr, ValidationError, model_validator
from pydantic_settings import (
    BaseSettings,
    EnvSettingsSource,
    NoDecode,
    PydanticBaseSettingsSource,
    SettingsConfigDict,
)

from app.domain.settling import SettlingRule
from app.domain.timeliness import GRADING_HOURS
from app.domain.working_hours import ROUND_THE_CLOCK, WorkingHours
from app.errors import SettingsError
from app.log import LogFormat
from app.secret_files import SecretFiles
from app.setting_types import (
    COMMA_SEPARATED,
    UPPER_CASE,
    AccountList,
    AddressList,
    AddressText,
    AvitoAccount,
    CertificateFile,
    EhloName,
    HeaderText,
    HostName,
    Hours,
    Key,
    LoginName,
    LoginPassword,
    OwnKey,
    PathSecret,
    ProxyAddresses,
    RootPath,
    WallTime,
    Zone,
    is_address,
)

Need = Literal["api", "avito", "deepseek", "mail"]
"""Settings that a command requires: API keys, Avito access, DeepSeek access, mail recipients."""

WEBHOOK_PATH = "/webhooks/avito/"
"""Path to which Avito posts; the secret follows it."""

_SETTINGS_FILE = ".env"
_LOCAL_SENDER = "avito-quality@localhost"
"""The sender of mails that become files."""
_DEFAULT_PORTS = {"starttls": 587, "tls": 465, "none": 25}


class Settings(BaseSettings):
    """All settings of the service. A field is the environment variable's name in lower case.

    Names of durations contain the unit. The docstring of a field is its row in
    docs/configuration.md (`make snapshot`).
    """

    model_config = SettingsConfigDict(
        env_file=_SETTINGS_FILE,
        env_ignore_empty=True,
        extra="ignore",
        frozen=True,
        hide_input_in_errors=True,
        validate_default=True,
    )

    database_url: SecretStr | None = Field(
        None, description="адрес вида postgresql://имя:пароль@хост:5432/база"
    )
    """Address of Postgres or of a pooler, in the form of libpq. If it is not set, the service runs
    an embedded Postgres under DATA_DIR.
    """
    database_direct_url: SecretStr | None = Field(
        None, description="адрес той же базы без пулера: postgresql://имя:пароль@хост:5432/база"
    )
    """Address of the same database without the pooler. If DATABASE_URL is a pooler such as
    pgbouncer, migrations use this address. If it is not set, they use DATABASE_URL, which a pooler
    in transaction mode allows.
    """
    database_pool_size: int = Field(10, ge=1, le=100, description="целое число от 1 до 100")
    """Maximum number of connections to Postgres. A connection that has not been used for 60 seconds
    is closed. If the server allows fewer, calls wait for a free one.
    """
    data_dir: Path = Field(Path("var"), description="путь к папке")
    """Folder of the embedded Postgres and, if SMTP_HOST is not set, of the mails as .eml files."""

    api_keys: Annotated[tuple[OwnKey, ...], NoDecode, COMMA_SEPARATED] = Field(
        (), description="ключи через запятую, каждый из 16 и более латинских букв, цифр и знаков"
    )
    """Keys that REST accepts in X-API-Key, comma-separated, each of at least 16 characters. Two
    keys are valid at a time while one replaces the other. Required by `serve`.
    """

    avito_client_id: HeaderText | None = Field(
        None, description="client_id из кабинета Авито, без пробелов и русских букв"
    )
    """Client id of one Avito account. Required, unless AVITO_ACCOUNTS is set."""
    avito_client_secret: Key | None = Field(
        None, description="client_secret из кабинета Авито, без пробелов и русских букв"
    )
    """Client secret of the same account. Required together with AVITO_CLIENT_ID."""
    avito_accounts: Annotated[AccountList, NoDecode] = Field(
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

    avito_webhook_secret: PathSecret | None = Field(
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
        tuple[Literal["thinking", "response_format", "temperature", "balance"], ...],
        NoDecode,
        COMMA_SEPARATED,
    ] = Field((), description="слова thinking, response_format, temperature, balance через запятую")
    """Features that the server behind DEEPSEEK_BASE_URL lacks, comma-separated. They are not used.
    `response_format` is the same as DEEPSEEK_RESPONSE_FORMAT=none.
    """
    deepseek_response_format: Literal["json_object", "json_schema", "none"] = Field(
        "json_object", description="json_object, json_schema или none"
    )
    """What the server enforces on the answer: any JSON object, the JSON schema of an answer, or
    nothing. DeepSeek refuses json_schema; vLLM, Ollama, llama.cpp, LM Studio and Yandex know it,
    and small models need it.
    """
    deepseek_daily_budget_usd: Decimal | None = Field(
        None, ge=0, description="сумма в долларах, например 2.50"
    )
    """US dollars for one day of REPORT_TIMEZONE. Grading stops before the limit is exceeded; the
    other chats wait and the mail reports it. If it is not set, there is no limit.
    """

    smtp_host: HostName | None = Field(
        None, description="имя почтового сервера без порта и пробелов, например smtp.yandex.ru"
    )
    """Mail server. If it is not set, mails are written to DATA_DIR/outbox as .eml files."""
    smtp_port: int | None = Field(None, ge=1, le=65535, description="номер порта от 1 до 65535")
    """Port of the mail server. If it is not set, 587 for starttls, 465 for tls, 25 for none."""
    smtp_username: LoginName | None = Field(
        None, description="имя пользователя почтового сервера, одной строкой"
    )
    """User name at the mail server. If it is not set, the service does not authenticate."""
    smtp_password: LoginPassword | None = Field(
        None, description="пароль почтового сервера, одной строкой"
    )
    """Password at the mail server. Required together with SMTP_USERNAME."""
    smtp_security: Literal["starttls", "tls", "none"] | None = Field(
        None, description="starttls, tls или none"
    )
    """Encryption. If it is not set, tls on port 465, otherwise starttls."""
    smtp_ehlo_name: EhloName | None = Field(
        None,
        description=(
            "полное имя этой машины, например reports.example.ru, или её адрес вида [203.0.113.7]"
        ),
    )
    """Name sent in EHLO: a host name, or an address literal such as [203.0.113.7]. If it is not
    set, the host name of the machine.
    """
    mail_from: AddressText | None = Field(None, description="адрес вида reports@example.ru")
    """Sender of the mails. If it is not set, SMTP_USERNAME. Required if that is not a mail address.
    """
    report_recipients: Annotated[AddressList, NoDecode] = Field(
        (), description="почтовые адреса через запятую"
    )
    """Recipients of the mail, comma-separated. Required together with SMTP_HOST."""

    report_time: WallTime = Field(time(20, 0), description="время ЧЧ:ММ, например 20:00")
    """Time of the daily run, in REPORT_TIMEZONE."""
    report_timezone: Zone = Field(
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
    """The daily run grades only chats in which a person wrote within this many days or since the
    last finished daily run, and chats left failed or waiting. Older chats are graded by a call
    only, so that the import of an old account is not paid for by accident.
    """
    episode_gap_hours: float = Field(
        72, gt=0, le=8760, description="число часов больше нуля и до 8760"
    )
    """Silence after a message of the company after which the buyer begins a new episode."""
    settle_minutes: int = Field(30, ge=0, le=1440, description="целое число минут от 0 до 1440")
    """Working time (WORKING_HOURS) after the buyer's last message before a chat is graded. Until
    then it waits, unless the company answers. 0: chats do not wait.
    """
    working_hours: Annotated[Hours, NoDecode] = Field(
        None,
        description=(
            "дни и часы вида Пн-Пт 09:00-18:00, Сб 10:00-16:00; часы не переходят через полночь"
        ),
    )
    """Days and hours, in REPORT_TIMEZONE, that count for answer times and SETTLE_MINUTES, for
    example `Пн-Пт 09:00-18:00, Сб 10:00-16:00`. If it is not set, all hours count for
    answer times, and the hours from 9 to 21 of every day for SETTLE_MINUTES and late answers. The
    list of waiting buyers always counts all hours.
    """
    mask_personal_data: bool = Field(True, description="true или false")
    """Whether phones, addresses, names and other personal data are replaced by tokens before a text
    is sent to the model.
    """
    rubric_file: Path | None = Field(None, description="путь к файлу рубрики")
    """File with your own criteria, in the form of app/grading/rubric.json. If it is not set, that
    file is used.
    """

    autoreply_texts_file: Path | None = Field(
        None, description="путь к файлу с текстами автоответов"
    )
    """File with the texts of your automatic replies, one in a line, at most 200; `{имя}` stands
    for words that vary, `\\n` for a line break. A message with such a text is never a person's.
    Other automatic replies are found without it. Read at the start; the next sync applies a change
    to all stored messages.
    """

    company_facts_file: Path | None = Field(
        None, description="путь к файлу со сведениями о компании"
    )
    """File with facts about the company, such as prices of delivery and sizes: UTF-8, at most 8,000
    characters. The model gets them, unmasked, and statements that contradict them are flagged.
    """

    steadiness_share: float = Field(0.05, ge=0, le=1, description="доля от 0 до 1")
    """Share of chats that is graded twice. The first grading is the report; the summary and the
    mail show how often the second one differs. 0: no chat is graded twice.
    """

    docs_enabled: bool = Field(True, description="true или false")
    """Whether /docs and /openapi.json are served."""
    log_level: Annotated[Literal["DEBUG", "INFO", "WARNING", "ERROR"], UPPER_CASE] = Field(
        "INFO", description="DEBUG, INFO, WARNING или ERROR"
    )
    """Least level of log lines."""
    log_format: LogFormat = Field("console", description="console или json")
    """Form of log lines: console for people, json for a log collector."""
    host: str = Field("127.0.0.1", min_length=1, description="адрес, на котором слушать")
    """Address on which the service listens. 0.0.0.0: every address of the machine."""
    port: int = Field(8000, ge=1, le=65535, description="номер порта от 1 до 65535")
    """Port on which the service listens."""
    web_concurrency: int = Field(1, ge=1, le=64, description="целое число от 1 до 64")
    """Processes of `serve` that share the port and the work, for several processor cores. Each has
    DATABASE_POOL_SIZE connections; the limits of Avito and DeepSeek hold for all of them together.
    """
    root_path: RootPath | None = Field(
        None,
        description=(
            "путь вида /quality из латинских букв, цифр, - и _, с которого не начинаются адреса"
            " самой службы"
        ),
    )
    """Path under which a reverse proxy serves the service, for example /quality. The proxy may
    remove it from requests or not.
    """
    forwarded_allow_ips: ProxyAddresses = Field(
        "127.0.0.1", description="адреса и сети прокси через запятую, или *"
    )
    """Addresses and networks of the reverse proxies, comma-separated. X-Forwarded-For and
    X-Forwarded-Proto are read from them only. `*`: from everyone, so that any client can pretend to
    have any address.
    """
    ca_file: CertificateFile | None = Field(
        None, description="путь к файлу с сертификатами в PEM, который служба может прочесть"
    )
    """File with certificates (PEM) that are trusted besides the system's: for Avito, the model's
    server, the mail server and Postgres.
    """

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

    @model_validator(mode="after")
    def _check_response_format(self) -> Self:
        if (
            self.deepseek_response_format == "json_schema"
            and "response_format" in self.deepseek_omit
        ):
            raise ValueError(
                "DEEPSEEK_RESPONSE_FORMAT: json_schema, а DEEPSEEK_OMIT запрещает response_format;"
                " оставьте что-то одно."
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
    def deepseek_omitted(self) -> frozenset[str]:
        """What is not sent to the model's server, and not requested: from both settings."""
        if self.deepseek_response_format == "none":
            return frozenset({*self.deepseek_omit, "response_format"})
        return frozenset(self.deepseek_omit)

    @property
    def settling(self) -> SettlingRule:
        """The rule of when a conversation is over."""
        return SettlingRule(
            timedelta(minutes=self.settle_minutes),
            self.working_hours or GRADING_HOURS,
            self.report_timezone,
        )

    @property
    def answer_hours(self) -> WorkingHours:
        """The working hours by which answer times are counted for figures."""
        return self.working_hours or ROUND_THE_CLOCK

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
            if self.smtp_username and is_address(self.smtp_username)
            else _LOCAL_SENDER
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
            case "mail" if self.smtp_host and self.sender == _LOCAL_SENDER:
                return "MAIL_FROM: не задано; укажите адрес, от имени которого уходит отчёт."
            case _:
                return None


def load_settings(**overrides: Any) -> Settings:
    """Load the settings; ``overrides`` take precedence over the environment (demo and tests).

    Raises:
        SettingsError: one line that names the first invalid setting.
    """
    _check_settings_file(overrides.get("_env_file", _SETTINGS_FILE))
    try:
        return Settings(**overrides)
    except ValidationError as error:
        raise SettingsError(_describe_faults(error)[0]) from None


def _check_settings_file(file: str | None) -> None:
    """Refuse a folder, as Docker creates for a missing file that is mounted, and a broken link.

    pydantic-settings would ignore it.
    """
    if file is None:
        return
    path = Path(file)
    if path.is_dir():
        raise SettingsError(
            f"{file}: это папка, а нужен файл; уберите её и сделайте файл из .env.example."
        )
    if path.is_symlink() and not path.exists():
        raise SettingsError(f"{file}: это ссылка на файл, которого нет; исправьте или уберите её.")


def list_settings_faults(**overrides: Any) -> list[str]:
    """Return one line for each invalid setting; a missing setting is not invalid."""
    try:
        Settings(**overrides)
    except ValidationError as error:
        return _describe_faults(error)
    except SettingsError as error:  # a secret's file
        return [error.message]
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
