"""The DeepSeek account: models, balance and invalid keys."""

from collections.abc import Callable
from decimal import Decimal
from typing import Any

import pytest

from app.clients.deepseek import DeepSeekClient, DeepSeekCredentialsError
from app.sandbox import deepseek_faults as faults
from app.sandbox.deepseek import LocalDeepSeek
from app.sandbox.faults import CannedResponse

MakeDeepSeek = Callable[..., DeepSeekClient]


async def test_models_and_balance_are_returned(deepseek: DeepSeekClient) -> None:
    assert await deepseek.get_models() == ["deepseek-flash", "deepseek-v4-pro"]
    balance = await deepseek.get_balance()
    assert balance is not None
    assert (balance.is_available, balance.total) == (True, {"USD": Decimal("25.00")})


@pytest.mark.parametrize(
    "fault",
    [
        faults.HTML,
        faults.EMPTY_BODY,
        faults.SERVER_ERROR,
        faults.CUT,
        CannedResponse(200, {"data": 5, "balance_infos": [{}]}),
    ],
)
async def test_models_and_balance_are_retried(
    deepseek: DeepSeekClient, local_deepseek: LocalDeepSeek, fault: Any
) -> None:
    local_deepseek.switches.fail(fault, path="/models")
    local_deepseek.switches.fail(fault, path="/balance")
    assert await deepseek.get_models()
    balance = await deepseek.get_balance()
    assert balance is not None
    assert balance.is_available


async def test_wrong_key_message_omits_the_key(
    make_deepseek: MakeDeepSeek, local_deepseek: LocalDeepSeek
) -> None:
    client = make_deepseek(api_key="sk-wrong-canary")
    for call in (
        client.complete(system="JSON", user="?"),
        client.get_models(),
        client.get_balance(),
    ):
        with pytest.raises(DeepSeekCredentialsError) as caught:
            await call
        assert "canary" not in caught.value.message


@pytest.mark.parametrize("key", ["", "sk-с-кириллицей"])
async def test_a_key_that_cannot_be_sent_is_a_wrong_key(
    make_deepseek: MakeDeepSeek,
    local_deepseek: LocalDeepSeek,
    monkeypatch: pytest.MonkeyPatch,
    key: str,
) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", "sk-of-another-vendor")
    with pytest.raises(DeepSeekCredentialsError, match="DEEPSEEK_API_KEY"):
        await make_deepseek(api_key=key).get_models()
    assert local_deepseek.requests == []
