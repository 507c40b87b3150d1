"""Doctor's checks of the outside systems: Avito, DeepSeek and the mail server. They only read, and cost nothing."""

from app.cli.checkup import Checkup
from app.clients.avito import (
    AvitoChat,
    AvitoChatGoneError,
    AvitoClient,
    AvitoCredentials,
    AvitoPlanMissingError,
    AvitoSelf,
    avito_http,
)
from app.clients.deepseek import DeepSeekClient
from app.clients.retry import RetryPolicy
from app.clock import system_clock
from app.config import AvitoAccount, Settings
from app.main import mail_client

_SECONDS = 30
_ONCE = RetryPolicy(attempts=1)
_NO_PLAN = "тариф с API мессенджера не оплачен, сообщения не читаются; подключите его в кабинете Авито, раздел «Тарифы»."


async def check_avito(checkup: Checkup, settings: Settings) -> None:
    """Of each account: its keys, its list of chats, and whether messages are to be had."""
    async with avito_http(str(settings.avito_base_url), timeout_seconds=10) as http:
        for account in settings.accounts:
            client = AvitoClient(
                http,
                AvitoCredentials(account.client_id, account.client_secret.get_secret_value()),
                max_concurrency=1,
                requests_per_minute=0,
                retry=_ONCE,
                clock=system_clock,
            )
            await _check_account(checkup, account, client)


async def _check_account(checkup: Checkup, account: AvitoAccount, client: AvitoClient) -> None:
    subject = f"Авито, «{account.name}»" if account.name else "Авито"
    async with checkup.checking(subject, _SECONDS, prefix=f"{subject}: " if account.name else ""):
        me = await client.get_self()
        checkup.good(f"{subject}: ключи подходят, аккаунт {me.id} ({me.name or 'без имени'}).")
        page = await client.list_chats(me.id, limit=1)
        checkup.good(f"{subject}: список чатов читается.")
        if not page.chats:
            checkup.unsure(f"{subject}: чатов ещё нет; оплачен ли тариф с API мессенджера, не узнать.")
        else:
            await _check_plan(checkup, subject, client, me, page.chats[0])


async def _check_plan(checkup: Checkup, subject: str, client: AvitoClient, me: AvitoSelf, chat: AvitoChat) -> None:
    try:
        page = await client.list_messages(me.id, chat.id, limit=1)
    except AvitoPlanMissingError:
        checkup.bad(f"{subject}: {_NO_PLAN}")
    except AvitoChatGoneError:
        checkup.unsure(f"{subject}: чат, который Авито только что показал, исчез; запустите doctor ещё раз.")
    else:
        if any(message.is_placeholder for message in page.messages):
            checkup.bad(f"{subject}: {_NO_PLAN}")
        else:
            checkup.good(f"{subject}: сообщения читаются, тариф оплачен.")


async def check_deepseek(checkup: Checkup, settings: Settings) -> None:
    """The key, the model and the balance."""
    if settings.deepseek_api_key is None:
        return
    async with (
        checkup.checking("DeepSeek", _SECONDS),
        DeepSeekClient(
            str(settings.deepseek_base_url),
            settings.deepseek_api_key.get_secret_value(),
            settings.deepseek_model,
            max_concurrency=1,
            timeout_seconds=10,
            retry=_ONCE,
            omit=settings.deepseek_omit,
        ) as client,
    ):
        models = await client.get_models()
        if settings.deepseek_model in models:
            checkup.good(f"DeepSeek: ключ подходит, модель {settings.deepseek_model} есть.")
        else:
            checkup.bad(f"DEEPSEEK_MODEL: модели {settings.deepseek_model} нет; есть {', '.join(models)}.")
        balance = await client.get_balance()
        if balance is None:
            return
        left = ", ".join(f"{amount} {currency}" for currency, amount in balance.total.items()) or "0"
        if balance.is_available:
            checkup.good(f"DeepSeek: на счёте {left}.")
        else:
            checkup.bad(f"DeepSeek: денег на счёте не хватает ({left}); пополните его на platform.deepseek.com.")


async def check_mail(checkup: Checkup, settings: Settings) -> None:
    """Whether the mail server lets us in, or the folder in its place can be written."""
    async with checkup.checking("Почта", _SECONDS):
        answer = await mail_client(settings).check()
        recipients = f"получатели: {', '.join(settings.report_recipients) or 'нет'}"
        if settings.smtp_host is None:
            checkup.unsure(f"Почта: SMTP_HOST не задан, письма складываются файлами ({answer}); {recipients}.")
        else:
            server = f"{settings.smtp_host}:{settings.smtp_server_port}, {settings.smtp_security}"
            checkup.good(f"Почта: сервер пускает ({server}); отправитель {settings.sender}, {recipients}.")
