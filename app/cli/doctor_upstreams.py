"""Doctor's checks of DeepSeek and the mail server. They are read-only and free of charge."""

from app.adapters import build_mail_client
from app.cli.doctor_findings import DoctorFindings
from app.clients.deepseek import DeepSeekClient
from app.clients.retry import RetryPolicy
from app.config import Settings

_SECONDS = 30
_NO_RETRY = RetryPolicy(attempts=1)


async def check_deepseek(findings: DoctorFindings, settings: Settings) -> None:
    """Check the key, the model and the balance."""
    if settings.deepseek_api_key is None:
        return
    async with (
        findings.checking("DeepSeek", _SECONDS),
        DeepSeekClient(
            str(settings.deepseek_base_url),
            settings.deepseek_api_key.get_secret_value(),
            settings.deepseek_model,
            max_concurrency=1,
            timeout_seconds=10,
            retry=_NO_RETRY,
            omit=settings.deepseek_omit,
        ) as client,
    ):
        models = await client.get_models()
        if settings.deepseek_model in models:
            findings.good(f"DeepSeek: ключ подходит, модель {settings.deepseek_model} есть.")
        else:
            findings.bad(
                f"DEEPSEEK_MODEL: модели {settings.deepseek_model} нет; есть {', '.join(models)}."
            )
        balance = await client.get_balance()
        if balance is None:
            return
        left = (
            ", ".join(f"{amount} {currency}" for currency, amount in balance.total.items()) or "0"
        )
        if balance.is_available:
            findings.good(f"DeepSeek: на счёте {left}.")
        else:
            findings.bad(
                f"DeepSeek: денег на счёте не хватает ({left}); пополните его на"
                " platform.deepseek.com."
            )


async def check_mail(findings: DoctorFindings, settings: Settings) -> None:
    """Check the login to the mail server, or that the mail folder is writable."""
    async with findings.checking("Почта", _SECONDS):
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
