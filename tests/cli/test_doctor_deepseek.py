"""Doctor on DeepSeek and on other model servers: what is missing, and which setting to change."""

from collections.abc import AsyncIterator
from typing import Any

import pytest

from app.cli.doctor_findings import DoctorFindings
from app.cli.doctor_upstreams import check_deepseek
from app.sandbox import deepseek_faults as faults
from app.sandbox.deepseek import LocalDeepSeek
from app.sandbox.faults import CannedResponse
from app.sandbox.server import serve_app
from tests.support.deepseek_prompts import COMPLETIONS
from tests.support.stage import stage_settings

NO_DB = CannedResponse(
    400, {"error": {"message": "No connected db.", "type": "no_db_connection", "code": "400"}}
)
ANSWERS = "✓ DeepSeek: ключ подходит, модель deepseek-flash отвечает."


class Doctor:
    """Runs the check of the local DeepSeek."""

    def __init__(self, server: LocalDeepSeek, url: str, capsys: pytest.CaptureFixture[str]) -> None:
        self.server, self._url, self._capsys = server, url, capsys

    async def check(self, **settings: Any) -> list[str]:
        """Return the lines that are printed; check that the faults are counted."""
        connection = {"DEEPSEEK_BASE_URL": self._url, "DEEPSEEK_API_KEY": self.server.api_key}
        findings = DoctorFindings()
        await check_deepseek(findings, stage_settings(None, connection, **settings))
        lines = self._capsys.readouterr().out.splitlines()
        assert findings.faults == len([line for line in lines if line.startswith("✗")])
        return lines

    @property
    def asked_for_tokens(self) -> list[int]:
        """The token limits of the requested completions."""
        return [
            request.body["max_tokens"]
            for request in self.server.requests
            if request.path == COMPLETIONS
        ]


@pytest.fixture
async def doctor(capsys: pytest.CaptureFixture[str]) -> AsyncIterator[Doctor]:
    server = LocalDeepSeek()
    async with serve_app(server.app) as url:
        yield Doctor(server, url, capsys)


async def test_deepseek_is_checked_free_of_charge(doctor: Doctor) -> None:
    assert await doctor.check() == [
        "✓ DeepSeek: ключ подходит, модель deepseek-flash есть.",
        "✓ DeepSeek: на счёте 25.00 USD.",
    ]
    (missing, _) = await doctor.check(deepseek_model="gpt")
    assert missing.startswith("✗ DEEPSEEK_MODEL: модели gpt нет; есть deepseek-flash")
    assert doctor.asked_for_tokens == []


async def test_missing_balance_is_no_fault(doctor: Doctor) -> None:
    doctor.server.unsupported = {"balance"}
    answers, unsure = await doctor.check()
    assert answers == ANSWERS
    assert unsure.startswith("! DeepSeek: остаток на счёте не узнать")
    assert "balance в DEEPSEEK_OMIT" in unsure
    assert await doctor.check(deepseek_omit="balance") == [ANSWERS]
    assert doctor.asked_for_tokens == [1, 1]


@pytest.mark.parametrize(
    "page", [CannedResponse(200, "<html>"), CannedResponse(403, "<html>"), faults.UNAUTHORIZED]
)
async def test_gateway_may_refuse_the_balance_in_any_form(doctor: Doctor, page: Any) -> None:
    doctor.server.switches.fail(page, path="/user/balance")
    answers, unsure = await doctor.check()
    assert answers == ANSWERS
    assert unsure.startswith("! ")


async def test_missing_list_of_models_is_no_fault(doctor: Doctor) -> None:
    doctor.server.unsupported = {"models"}
    assert await doctor.check() == [ANSWERS, "✓ DeepSeek: на счёте 25.00 USD."]


async def test_missing_model_behind_a_gateway(doctor: Doctor) -> None:
    """A gateway may serve models that it does not list, so the completion decides."""
    doctor.server.unsupported = {"balance"}
    (fault,) = await doctor.check(deepseek_model="gpt")
    assert fault.startswith("✗ DeepSeek не знает модели из DEEPSEEK_MODEL")
    assert fault.endswith("Есть: deepseek-flash, deepseek-v4-pro.")
    doctor.server.switches.fail(CannedResponse(200, {"data": [{"id": "*"}]}), path="/models")
    assert (await doctor.check())[0] == ANSWERS


@pytest.mark.parametrize("refusal", [NO_DB, faults.UNAUTHORIZED])
@pytest.mark.parametrize("missing", [{"balance"}, {"balance", "models"}])
async def test_wrong_key_behind_a_gateway_with_open_lists(
    doctor: Doctor, refusal: CannedResponse, missing: set[str]
) -> None:
    doctor.server.unsupported = missing
    doctor.server.switches.fail(refusal, path=COMPLETIONS, times=None)
    (fault,) = await doctor.check()
    assert fault.startswith("✗ DeepSeek не принял ключ: впишите в DEEPSEEK_API_KEY")


async def test_wrong_key_of_litellm(doctor: Doctor) -> None:
    doctor.server.switches.fail(NO_DB, times=None)
    (fault,) = await doctor.check()
    assert fault.startswith("✗ DeepSeek не принял ключ")


async def test_empty_balance_is_reported_once(doctor: Doctor) -> None:
    doctor.server.switches.fail(faults.BALANCE_EMPTY, path="/user/balance")
    present, fault = await doctor.check(deepseek_response_format="json_schema")
    assert present == "✓ DeepSeek: ключ подходит, модель deepseek-flash есть."
    assert fault.startswith("✗ На счету DeepSeek кончились деньги")


async def test_refused_response_format_names_the_setting(doctor: Doctor) -> None:
    assert ANSWERS in await doctor.check(deepseek_response_format="json_schema")
    doctor.server.unsupported = {"json_schema", "json_object"}
    present, fault = await doctor.check(deepseek_response_format="json_schema")
    assert present == "✓ DeepSeek: ключ подходит, модель deepseek-flash есть."
    assert "поставьте другой DEEPSEEK_RESPONSE_FORMAT" in fault
    doctor.server.unsupported |= {"balance"}
    (fault,) = await doctor.check()
    assert "поставьте другой DEEPSEEK_RESPONSE_FORMAT" in fault
    assert await doctor.check(deepseek_response_format="none", deepseek_omit="balance") == [ANSWERS]


async def test_server_that_breaks_at_a_response_format(doctor: Doctor) -> None:
    """vLLM answers a 500 without a word."""
    doctor.server.switches.fail(
        faults.SERVER_ERROR, when=lambda request: "response_format" in str(request.body), times=None
    )
    _, fault, _ = await doctor.check(deepseek_response_format="json_schema")
    assert fault.startswith("✗ DEEPSEEK_RESPONSE_FORMAT: с json_schema сервер модели не отвечает")
    assert "поставьте none" in fault
    doctor.server.switches.fail(faults.SERVER_ERROR, path=COMPLETIONS, times=None)
    _, fault = await doctor.check(deepseek_response_format="json_schema")
    assert fault.startswith("✗ DeepSeek временно не работает (500)")


async def test_refused_parameter_names_the_setting(doctor: Doctor) -> None:
    doctor.server.unsupported = {"balance", "thinking"}
    (fault,) = await doctor.check()
    assert "параметра thinking: впишите его в DEEPSEEK_OMIT" in fault


async def test_closed_access_names_the_gateway(doctor: Doctor) -> None:
    blocked = CannedResponse(403, "<html>Blocked</html>", {"Server": "cloudflare"})
    doctor.server.switches.fail(blocked, times=None)
    (fault,) = await doctor.check()
    assert fault.startswith("✗ Доступ к DeepSeek закрыт (403, отвечает cloudflare)")
