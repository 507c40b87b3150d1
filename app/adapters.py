"""Build the clients of the outside systems from the settings: database, Avito, DeepSeek, mail."""

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager, nullcontext
from datetime import timedelta

from app.clients.avito import AvitoClient, AvitoCredentials, create_avito_http
from app.clients.deepseek import DeepSeekClient
from app.clients.limiter import MakePace, make_own_pace
from app.clients.mail import MailClient, OutboxFolder, SmtpClient
from app.clients.retry import RetryPolicy
from app.clock import Clock, system_clock
from app.config import AvitoAccount, Settings
from app.database.embedded import embedded_postgres
from app.database.engine import Database
from app.database.startup import PATIENCE_SECONDS, prepare
from app.domain.reply_texts import MOST_LISTED, ListedTexts
from app.errors import SettingsError
from app.grading.answer_schema import make_answer_schema
from app.grading.company_facts import CompanyFactsError, load_company_facts
from app.grading.rubric import Rubric, RubricError, load_rubric
from app.services.analysis.grader import Grader
from app.services.analysis.worker_pool import WorkerPool

_SMTP_TIMEOUT_SECONDS = 60


@asynccontextmanager
async def open_database(
    settings: Settings, *, migrated: bool = True, patience_seconds: float | None = PATIENCE_SECONDS
) -> AsyncIterator[Database]:
    """Open the database of the settings; start the embedded one if no address is set.

    ``migrated``: migrate the schema first. ``patience_seconds``: how long to wait for a server that
    is not ready yet; None means without a limit.

    Raises:
        AppError: the database cannot be reached or started; the message names the setting.
    """
    if settings.database_direct_url and not settings.database_url:
        raise SettingsError("DATABASE_URL: не задано, а DATABASE_DIRECT_URL без него не нужно.")
    async with AsyncExitStack() as stack:
        if settings.database_url is None:
            url = await stack.enter_async_context(embedded_postgres(settings.data_dir))
        else:
            url = settings.database_url.get_secret_value()
        embedded = settings.database_url is None
        database = Database(
            url,
            pool_size=settings.database_pool_size,
            embedded=embedded,
            ca_file=settings.ca_file,
        )
        stack.push_async_callback(database.close)
        async with open_direct_database(settings) as direct:
            await prepare(
                database, migrated=migrated, patience_seconds=patience_seconds, direct=direct
            )
        yield database


@asynccontextmanager
async def open_direct_database(settings: Settings) -> AsyncIterator[Database | None]:
    """Open the database without its pooler; None if no address is set for that."""
    if settings.database_direct_url is None:
        yield None
        return
    database = Database(
        settings.database_direct_url.get_secret_value(),
        setting="DATABASE_DIRECT_URL",
        ca_file=settings.ca_file,
        pool_size=1,
    )
    try:
        yield database
    finally:
        await database.close()


@asynccontextmanager
async def open_grader(
    settings: Settings,
    *,
    clock: Clock = system_clock,
    retry: RetryPolicy = RetryPolicy(),  # noqa: B008 - frozen
    pool: WorkerPool | None = None,
) -> AsyncIterator[Grader]:
    """Open the grader: the model and the rubric of the settings.

    ``pool``: worker processes that outlive the grader; without it the grader starts its own.

    Raises:
        SettingsError: the rubric file cannot be used.
    """
    rubric, facts = read_rubric(settings), read_company_facts(settings)
    deepseek = build_deepseek_client(
        settings,
        rubric,
        clock=clock,
        retry=retry,
        timeout_seconds=settings.deepseek_timeout_seconds,
    )
    async with deepseek, nullcontext(pool) if pool else WorkerPool() as processes:
        yield Grader(
            deepseek,
            processes,
            rubric,
            facts,
            settings.report_timezone,
            clock,
            episode_gap=timedelta(hours=settings.episode_gap_hours),
            working_hours=settings.working_hours,
            masking=settings.mask_personal_data,
            steadiness_share=settings.steadiness_share,
        )


def build_deepseek_client(
    settings: Settings,
    rubric: Rubric,
    *,
    clock: Clock = system_clock,
    retry: RetryPolicy,
    timeout_seconds: float,
) -> DeepSeekClient:
    """Return the client of the model's server; close it after use.

    ``rubric``: its checks are in the JSON schema, if the settings ask for one.
    """
    has_schema = settings.deepseek_response_format == "json_schema"
    return DeepSeekClient(
        str(settings.deepseek_base_url),
        settings.deepseek_api_key.get_secret_value() if settings.deepseek_api_key else "",
        settings.deepseek_model,
        max_concurrency=settings.deepseek_max_concurrency,
        timeout_seconds=timeout_seconds,
        retry=retry,
        clock=clock,
        omit=settings.deepseek_omitted,
        answer_schema=make_answer_schema(rubric) if has_schema else None,
        ca_file=settings.ca_file,
    )


def read_rubric(settings: Settings) -> Rubric:
    """Read the rubric that the settings name.

    Raises:
        SettingsError: the file cannot be used.
    """
    try:
        return load_rubric(settings.rubric_file)
    except RubricError as error:
        raise SettingsError(f"RUBRIC_FILE: {error}") from None


def read_listed_texts(settings: Settings) -> ListedTexts:
    """Read the texts of automatic replies that the settings name; none without a file.

    Raises:
        SettingsError: the file cannot be used.
    """
    path = settings.autoreply_texts_file
    if path is None:
        return ListedTexts()
    try:
        text = path.read_text(encoding="utf-8-sig")
    except (OSError, UnicodeDecodeError):
        raise SettingsError(
            f"AUTOREPLY_TEXTS_FILE: файл {path} не читается: проверьте путь, права и кодировку"
            " UTF-8."
        ) from None
    lines = tuple(line.strip() for line in text.splitlines() if line.strip())
    if len(lines) > MOST_LISTED:
        raise SettingsError(
            f"AUTOREPLY_TEXTS_FILE: в файле {path} больше {MOST_LISTED} строк: оставьте по одной на"
            " автоответ."
        )
    return ListedTexts(lines)


def read_company_facts(settings: Settings) -> str:
    """Read the company's facts that the settings name; an empty text without a file.

    Raises:
        SettingsError: the file cannot be used.
    """
    try:
        return load_company_facts(settings.company_facts_file)
    except CompanyFactsError as error:
        raise SettingsError(f"COMPANY_FACTS_FILE: {error}") from None


@asynccontextmanager
async def open_avito_clients(
    settings: Settings,
    *,
    clock: Clock = system_clock,
    retry: RetryPolicy = RetryPolicy(),  # noqa: B008 - frozen
    make_pace: MakePace = make_own_pace,
) -> AsyncIterator[list[tuple[AvitoAccount, AvitoClient]]]:
    """Open a client for each account of the settings. The clients share one HTTP pool."""
    async with create_avito_http(str(settings.avito_base_url), ca_file=settings.ca_file) as http:
        yield [
            (
                account,
                AvitoClient(
                    http,
                    AvitoCredentials(account.client_id, account.client_secret.get_secret_value()),
                    max_concurrency=settings.avito_max_concurrency,
                    requests_per_minute=settings.avito_requests_per_minute,
                    retry=retry,
                    clock=clock,
                    make_pace=make_pace,
                ),
            )
            for account in settings.accounts
        ]


def build_mail_client(settings: Settings) -> MailClient:
    """Return the client of the mail server, or of the outbox folder if no server is set."""
    if settings.smtp_host is None:
        return OutboxFolder(settings.data_dir / "outbox")
    return SmtpClient(
        settings.smtp_host,
        settings.smtp_server_port,
        username=settings.smtp_username,
        password=settings.smtp_password.get_secret_value() if settings.smtp_password else None,
        security=settings.smtp_encryption,
        ehlo_name=settings.smtp_ehlo_name,
        ca_file=settings.ca_file,
        timeout_seconds=_SMTP_TIMEOUT_SECONDS,
    )
