"""Doctor's checks of Avito by account. They are read-only and mark no message as read."""

from app.cli.doctor_findings import DoctorFindings
from app.cli.webhook import is_ours
from app.clients.avito import (
    AvitoChat,
    AvitoChatGoneError,
    AvitoClient,
    AvitoCredentials,
    AvitoPlanMissingError,
    create_avito_http,
)
from app.clients.retry import RetryPolicy
from app.clock import system_clock
from app.config import AvitoAccount, Settings
from app.services.sync.listed_chats import count_listed_chats

_SECONDS = 30
_NO_RETRY = RetryPolicy(attempts=1)
_NO_PLAN = (
    "тариф с API мессенджера не оплачен, сообщения не читаются; подключите его в кабинете Авито,"
    " раздел «Тарифы»."
)


async def check_avito(findings: DoctorFindings, settings: Settings) -> None:
    """Check each account: its keys, chats, access to messages and webhook subscription."""
    async with create_avito_http(
        str(settings.avito_base_url), timeout_seconds=10, ca_file=settings.ca_file
    ) as http:
        for account in settings.accounts:
            client = AvitoClient(
                http,
                AvitoCredentials(account.client_id, account.client_secret.get_secret_value()),
                max_concurrency=1,
                requests_per_minute=0,
                retry=_NO_RETRY,
                clock=system_clock,
            )
            await _check_account(findings, account, client, settings.webhook_url)


async def _check_account(
    findings: DoctorFindings, account: AvitoAccount, client: AvitoClient, webhook_url: str | None
) -> None:
    subject = f"Авито, «{account.name}»" if account.name else "Авито"
    prefix = f"{subject}: " if account.name else ""
    async with findings.checking(subject, _SECONDS, setting="AVITO_BASE_URL", prefix=prefix):
        me = await client.get_self()
        findings.good(f"{subject}: ключи подходят, аккаунт {me.id} ({me.name or 'без имени'}).")
        newest = await _check_chats(findings, subject, client, me.id)
        if newest is None:
            findings.unsure(
                f"{subject}: чатов ещё нет; оплачен ли тариф с API мессенджера, не узнать."
            )
        else:
            await _check_plan(findings, subject, client, me.id, newest)
        if webhook_url:
            await _check_webhook(findings, subject, client, webhook_url)


async def _check_chats(
    findings: DoctorFindings, subject: str, client: AvitoClient, user_id: int
) -> AvitoChat | None:
    """Report the number of listed chats and return the newest one."""
    listed = await count_listed_chats(client, user_id)
    if listed.has_more:
        findings.good(
            f"{subject}: список чатов читается; их больше {listed.count}, остальные находятся по"
            " объявлениям."
        )
    else:
        findings.good(f"{subject}: список чатов читается, чатов: {listed.count}.")
    return listed.newest


async def _check_plan(
    findings: DoctorFindings, subject: str, client: AvitoClient, user_id: int, chat: AvitoChat
) -> None:
    try:
        page = await client.list_messages(user_id, chat.id, limit=1)
    except AvitoPlanMissingError:
        findings.bad(f"{subject}: {_NO_PLAN}")
    except AvitoChatGoneError:
        findings.unsure(
            f"{subject}: чат, который Авито только что показал, исчез; запустите doctor ещё раз."
        )
    else:
        if any(message.is_placeholder for message in page.messages):
            findings.bad(f"{subject}: {_NO_PLAN}")
        else:
            findings.good(f"{subject}: сообщения читаются, тариф оплачен.")


async def _check_webhook(
    findings: DoctorFindings, subject: str, client: AvitoClient, url: str
) -> None:
    subscribed = await client.list_webhooks()
    if url in subscribed:
        findings.good(f"{subject}: вебхуки подключены.")
    elif any(is_ours(found, url) for found in subscribed):
        findings.unsure(
            f"{subject}: вебхуки приходят с прежним AVITO_WEBHOOK_SECRET и не принимаются;"
            " запустите webhook subscribe."
        )
    else:
        findings.unsure(
            f"{subject}: вебхуки не подключены, чаты находит только синхронизация; запустите"
            " webhook subscribe."
        )
