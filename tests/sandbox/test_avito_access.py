"""Tokens, accounts and listings of the local Avito."""

import httpx
import pytest

from app.sandbox.avito import LocalAvito
from app.sandbox.avito_state import AvitoListing

EXPIRED = {"result": {"status": False, "message": "access token expired"}}
CHATS = "/messenger/v2/accounts/{}/chats"


async def test_a_token_opens_the_account_it_was_issued_for(
    seller: httpx.AsyncClient, avito: LocalAvito
) -> None:
    answer = await seller.get("/core/v1/accounts/self")

    assert answer.status_code == 200
    assert answer.json()["id"] == avito.accounts[0].user_id
    assert set(answer.json()) == {"id", "name", "email", "phone", "phones", "profile_url"}


async def test_a_token_lasts_a_day(anonymous: httpx.AsyncClient, avito: LocalAvito) -> None:
    form = {
        "grant_type": "client_credentials",
        "client_id": avito.accounts[1].client_id,
        "client_secret": avito.accounts[1].client_secret,
    }

    answer = (await anonymous.post("/token", data=form)).json()

    assert isinstance(answer.pop("access_token"), str)
    assert answer == {"expires_in": 86400, "token_type": "Bearer"}


async def test_bad_credentials_are_answered_with_200_and_an_error(
    anonymous: httpx.AsyncClient,
) -> None:
    form = {"grant_type": "client_credentials", "client_id": "nobody", "client_secret": "nothing"}

    answer = await anonymous.post("/token", data=form)

    assert answer.status_code == 200
    assert set(answer.json()) == {"error", "error_description"}


async def test_without_a_bearer_the_answer_is_401(anonymous: httpx.AsyncClient) -> None:
    answer = await anonymous.get("/core/v1/accounts/self")

    assert (answer.status_code, answer.json()) == (401, EXPIRED)


@pytest.mark.parametrize("status", [200, 401, 403])
async def test_an_expired_token_is_answered_under_the_status_of_the_switch(
    seller: httpx.AsyncClient, avito: LocalAvito, status: int
) -> None:
    avito.switches.expired_status = status  # type: ignore[assignment]
    avito.expire_tokens()

    answer = await seller.get("/core/v1/accounts/self")

    assert (answer.status_code, answer.json()) == (status, EXPIRED)


async def test_token_with_zero_lifetime_is_expired_at_once(
    anonymous: httpx.AsyncClient, avito: LocalAvito
) -> None:
    avito.switches.token_seconds = 0
    account = avito.accounts[0]
    form = {
        "grant_type": "client_credentials",
        "client_id": account.client_id,
        "client_secret": account.client_secret,
    }
    token = (await anonymous.post("/token", data=form)).json()["access_token"]

    answer = await anonymous.get(
        "/core/v1/accounts/self", headers={"Authorization": f"Bearer {token}"}
    )

    assert answer.status_code == 403


async def test_another_account_is_forbidden_without_mention_of_the_token(
    seller: httpx.AsyncClient, avito: LocalAvito
) -> None:
    answer = await seller.get(CHATS.format(avito.accounts[1].user_id))

    assert (answer.status_code, answer.json()) == (
        403,
        {"error": {"code": 403, "message": "Forbidden"}},
    )


async def test_an_employees_key_gets_no_listings_and_no_messages(
    seller: httpx.AsyncClient, avito: LocalAvito
) -> None:
    avito.accounts[0].employee = True

    items = await seller.get("/core/v1/items")
    messages = await seller.get(
        f"/messenger/v3/accounts/{avito.accounts[0].user_id}/chats/u2i-kia/messages/"
    )

    assert items.json()["resources"] == []
    assert messages.status_code == 403


async def test_listings_come_by_status_and_in_pages(
    seller: httpx.AsyncClient, avito: LocalAvito
) -> None:
    for number in range(60):
        avito.accounts[0].listings[number] = AvitoListing(
            number, f"Товар {number}", None, "old" if number % 2 else "active"
        )

    active = (await seller.get("/core/v1/items", params={"per_page": 99})).json()
    both = [
        (
            await seller.get(
                "/core/v1/items", params={"per_page": 50, "page": page, "status": "active,old"}
            )
        ).json()
        for page in (1, 2, 3)
    ]

    assert {row["status"] for row in active["resources"]} == {"active"}
    assert active["meta"] == {"page": 1, "per_page": 99}
    # The listing of u2i-kia is the 61st.
    assert [len(page["resources"]) for page in both] == [
        50,
        11,
        0,
    ]
    assert both[1]["resources"][-1]["price"] == 1350000


async def test_price_of_a_listing_is_a_number_or_null(
    seller: httpx.AsyncClient, avito: LocalAvito
) -> None:
    prices = ["6 500 ₽ за м²", "от 1 500 ₽", "Бесплатно", None]
    avito.accounts[0].listings = {
        number: AvitoListing(number, "Товар", price, category="Диваны", address="Казань")
        for number, price in enumerate(prices)
    }

    listed = (await seller.get("/core/v1/items")).json()["resources"]

    assert [row["price"] for row in listed] == [6500, 1500, None, None]
    assert (listed[0]["category"]["name"], listed[0]["address"]) == ("Диваны", "Казань")


async def test_more_than_25_requests_for_listings_a_minute_are_refused(
    seller: httpx.AsyncClient,
) -> None:
    statuses = [(await seller.get("/core/v1/items")).status_code for _ in range(26)]

    assert statuses == [200] * 25 + [429]


@pytest.mark.parametrize("params", [{"per_page": 100}, {"per_page": 0}, {"page": 0}])
async def test_listing_pages_have_limits(seller: httpx.AsyncClient, params: dict[str, int]) -> None:
    assert (await seller.get("/core/v1/items", params=params)).status_code == 400
