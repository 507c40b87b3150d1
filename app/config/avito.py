"""Settings of Avito: accounts, limits and webhooks."""

from typing import Annotated, Self

from pydantic import BaseModel, Field, HttpUrl, model_validator
from pydantic_settings import NoDecode

from app.config.setting_types import AccountList, AvitoAccount, HeaderText, Key, PathSecret

WEBHOOK_PATH = "/webhooks/avito/"
"""Path to which Avito posts; the secret follows it."""


class AvitoFields(BaseModel):
    """Accounts of Avito, limits of requests, and webhooks."""

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

    @model_validator(mode="after")
    def _check_accounts(self) -> Self:
        if bool(self.avito_client_id) != bool(self.avito_client_secret):
            missing = "AVITO_CLIENT_SECRET" if self.avito_client_id else "AVITO_CLIENT_ID"
            raise ValueError(f"{missing}: не задано, а без пары ключи Авито не работают.")
        if self.avito_client_id and self.avito_accounts:
            raise ValueError(
                "AVITO_ACCOUNTS: задано вместе с AVITO_CLIENT_ID; оставьте что-то одно."
            )
        return self

    @model_validator(mode="after")
    def _check_webhook(self) -> Self:
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
