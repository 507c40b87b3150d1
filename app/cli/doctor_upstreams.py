"""Doctor's checks of DeepSeek and the mail server.

They change nothing and are free of charge. Only if no free call of the model's server shows whether
it grades, a completion of one token is requested.
"""

from app.adapters import build_deepseek_client, build_mail_client
from app.cli.doctor_findings import DoctorFindings
from app.clients.deepseek import (
    Balance,
    DeepSeekBalanceError,
    DeepSeekClient,
    DeepSeekError,
    DeepSeekRequestError,
    DeepSeekSettingsError,
    DeepSeekUnavailableError,
)
from app.clients.retry import RetryPolicy
from app.config import Settings
from app.grading.rubric import load_rubric

_MAIL_SECONDS = 30
_DEEPSEEK_SECONDS = 90
_CALL_SECONDS = 30
_NO_RETRY = RetryPolicy(attempts=1)
_SYSTEM, _USER = "Ответь одним объектом JSON.", "Проверка связи."


async def check_deepseek(findings: DoctorFindings, settings: Settings) -> None:
    """Check the key, the model, the balance and the form of the answer.

    DeepSeek's list of models and balance show the first three. Another server may lack one of the
    calls, show both with any key, or serve models that it does not list. There, and for a schema of
    the answer, the completion decides.
    """
    if settings.deepseek_api_key is None:
        return
    async with (
        findings.checking("DeepSeek", _DEEPSEEK_SECONDS, setting="DEEPSEEK_BASE_URL"),
        _build_client(settings) as client,
    ):
        models = await _list_models(client)
        account = await _read_account(client)
        if models is not None and isinstance(account, Balance | DeepSeekBalanceError):
            is_listed = _check_listed(findings, settings.deepseek_model, models)
            has_schema = settings.deepseek_response_format == "json_schema"
            is_open = is_listed and has_schema
        else:
            is_open = True
        if is_open and not isinstance(account, DeepSeekBalanceError):
            await _check_completion(findings, settings, client, models)
        _report_account(findings, account)


def _build_client(settings: Settings) -> DeepSeekClient:
    # Any rubric will do: a server accepts or refuses its schema by the form.
    return build_deepseek_client(
        settings, load_rubric(None), retry=_NO_RETRY, timeout_seconds=_CALL_SECONDS
    )


async def _list_models(client: DeepSeekClient) -> list[str] | None:
    """Return the server's models; None if it has no such call."""
    try:
        return await client.get_models()
    except (DeepSeekSettingsError, DeepSeekRequestError):
        return None


async def _read_account(client: DeepSeekClient) -> Balance | DeepSeekError | None:
    """Return the balance, or why it is unknown; None if the settings omit it."""
    try:
        return await client.get_balance()
    except DeepSeekError as error:
        return error


def _check_listed(findings: DoctorFindings, model: str, models: list[str]) -> bool:
    if model in models:
        findings.good(f"DeepSeek: ключ подходит, модель {model} есть.")
        return True
    findings.bad(f"DEEPSEEK_MODEL: модели {model} нет; есть {', '.join(models)}.")
    return False


async def _check_completion(
    findings: DoctorFindings, settings: Settings, client: DeepSeekClient, models: list[str] | None
) -> None:
    """Request one token. Without an answer, find out whether the response format is the reason."""
    model = settings.deepseek_model
    try:
        await client.probe(system=_SYSTEM, user=_USER, max_tokens=1)
    except DeepSeekSettingsError as error:
        known = f" Есть: {', '.join(models)}." if models and model not in models else ""
        raise DeepSeekSettingsError(error.message + known) from error
    except (DeepSeekRequestError, DeepSeekUnavailableError) as error:
        if not await _answers_without_format(settings):
            raise
        findings.bad(
            f"DEEPSEEK_RESPONSE_FORMAT: с {settings.deepseek_response_format} сервер модели не"
            f" отвечает, а без него отвечает; поставьте none. {error.message}"
        )
    else:
        findings.good(f"DeepSeek: ключ подходит, модель {model} отвечает.")


async def _answers_without_format(settings: Settings) -> bool:
    if "response_format" in settings.deepseek_omitted:
        return False
    plain = settings.model_copy(update={"deepseek_response_format": "none"})
    async with _build_client(plain) as client:
        try:
            await client.probe(system=_SYSTEM, user=_USER, max_tokens=1)
        except DeepSeekError:
            return False
    return True


def _report_account(findings: DoctorFindings, account: Balance | DeepSeekError | None) -> None:
    match account:
        case Balance():
            _report_balance(findings, account)
        case DeepSeekBalanceError():
            findings.bad(account.message)
        case DeepSeekError():
            findings.unsure(
                "DeepSeek: остаток на счёте не узнать; если сервер его не сообщает, впишите balance"
                f" в DEEPSEEK_OMIT. {account.message}"
            )


def _report_balance(findings: DoctorFindings, balance: Balance) -> None:
    left = ", ".join(f"{amount} {currency}" for currency, amount in balance.total.items()) or "0"
    if balance.is_available:
        findings.good(f"DeepSeek: на счёте {left}.")
    else:
        findings.bad(
            f"DeepSeek: денег на счёте не хватает ({left}); пополните его на platform.deepseek.com."
        )


async def check_mail(findings: DoctorFindings, settings: Settings) -> None:
    """Check the login to the mail server, or that the mail folder is writable."""
    async with findings.checking("Почта", _MAIL_SECONDS, setting="SMTP_HOST, SMTP_PORT"):
        answer = await build_mail_client(settings).check()
        recipients = f"получатели: {', '.join(settings.report_recipients) or 'нет'}"
        if settings.smtp_host is None:
            findings.unsure(
                f"Почта: SMTP_HOST не задан, письма складываются файлами ({answer}); {recipients}."
            )
        else:
            server = f"{settings.smtp_host}:{settings.smtp_server_port}, {settings.smtp_encryption}"
            findings.good(
                f"Почта: сервер пускает ({server}); отправитель {settings.sender}, {recipients}."
            )
