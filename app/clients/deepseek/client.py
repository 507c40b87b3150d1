"""Client of DeepSeek's API: one system message and one user message in, one JSON answer out."""

import asyncio
from collections.abc import Awaitable, Callable, Collection
from functools import partial
from pathlib import Path
from types import TracebackType
from typing import Any, Self, TypeVar

import httpx2
import openai

from app.clients.attempts import count_attempt
from app.clients.bounded_body import UnreadableBodyError
from app.clients.deepseek.api import create_api
from app.clients.deepseek.errors import (
    DeepSeekCostlyError,
    DeepSeekError,
    DeepSeekTimeoutError,
    DeepSeekTruncatedError,
)
from app.clients.deepseek.prices import cost_usd, most_usage, most_usd
from app.clients.deepseek.refusal_errors import build_key_error, build_timeout_error
from app.clients.deepseek.request import Request, build_response_format
from app.clients.deepseek.request_body import describe_request, encode_body
from app.clients.deepseek.responses import (
    build_format_error,
    build_unreadable_error,
    convert_error,
    parse_usage,
    read_balance,
    read_completion,
    read_models,
    repeats_itself,
)
from app.clients.deepseek.schema import Balance, Bill, Completion, Usage
from app.clients.deepseek.usage_metrics import count_usage
from app.clients.limiter import AdaptiveLimiter
from app.clients.retry import RetryPolicy
from app.clients.text import read_json
from app.clock import Clock, system_clock

T = TypeVar("T")

_PROBE_TOKENS = 16
"""Token limit of an answer that is requested only to check that the model answers."""


Call = Callable[[], Awaitable[httpx2.Response]]
"""Sends one request and returns its response, whose body was read completely."""


def _ignore(_: Completion) -> None:
    """Discard a completion."""


class DeepSeekClient:
    """Client of one DeepSeek account.

    Every method raises the errors of ``errors.py``. Close the client, or use it as a context
    manager.

    - ``timeout_seconds``: timeout of one attempt, from the moment it may start.
    - ``max_concurrency``: maximum number of requests in flight.
    - ``omit``: features that a DeepSeek-compatible server lacks: parts of a request, or
      ``balance``.
    - ``answer_schema``: JSON schema that the server must enforce; None: any JSON object.
    - ``ca_file``: see ``get_tls_context``.
    """

    def __init__(
        self,
        base_url: str,
        api_key: str,
        model: str,
        *,
        max_concurrency: int,
        timeout_seconds: float,
        retry: RetryPolicy,
        clock: Clock = system_clock,
        omit: Collection[str] = (),
        answer_schema: dict[str, Any] | None = None,
        ca_file: Path | None = None,
    ) -> None:
        self._api_key = api_key
        self._model = model
        self._timeout_seconds = timeout_seconds
        self._retry = retry
        self._clock = clock
        self._omit = frozenset(omit)
        self._response_format = build_response_format(answer_schema)
        self._limiter = AdaptiveLimiter(max_concurrency, slow=(DeepSeekTimeoutError,))
        self._api = create_api(
            base_url,
            api_key,
            timeout_seconds=timeout_seconds,
            ca_file=ca_file,
        )

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        await self.aclose()

    async def aclose(self) -> None:
        """Close the connections."""
        await self._api.close()

    @property
    def model(self) -> str:
        """Name of the requested model."""
        return self._model

    @property
    def limiter(self) -> AdaptiveLimiter:
        """Limit of requests in flight."""
        return self._limiter

    async def complete(
        self,
        *,
        system: str,
        user: str,
        max_tokens: int = 1500,
        bill: Bill | None = None,
        on_truncated: Callable[[Completion], None] = _ignore,
    ) -> Completion:
        """Return the model's answer.

        If the answer runs out of tokens, it is requested once more with twice as many. If it ran
        out because it repeats itself, the second request has another temperature too: at 0 the
        model would repeat itself again. The text is not validated: it may be blank or not JSON.
        ``bill`` continues from earlier completions; a request that might exceed its limit is not
        sent. ``on_truncated`` is called with each answer that ran out of tokens.
        """
        bill = bill or Bill()
        request = Request(system, user, max_tokens)
        try:
            completion = await self._retry.run(partial(self._request_completion, request, bill))
            if completion.finish_reason == "length":
                on_truncated(completion)
                request = request.enlarge(is_loop=repeats_itself(completion.text))
                completion = await self._retry.run(partial(self._request_completion, request, bill))
        except DeepSeekError as error:
            error.usage = bill.usage
            raise
        if completion.finish_reason == "length":
            on_truncated(completion)
            raise _build_truncated_error(request.max_tokens, bill)
        return completion

    async def probe(self, *, system: str, user: str, max_tokens: int = _PROBE_TOKENS) -> Usage:
        """Check that the model answers; return the usage of a minimal request.

        The answer's text is ignored. All attempts together share the timeout of one attempt; it
        starts when the requests in flight leave a slot.
        """
        bill = Bill()
        try:
            await self._request_probe(Request(system, user, max_tokens), bill)
        except DeepSeekError as error:
            error.usage = bill.usage
            raise
        return bill.usage

    async def _request_probe(self, request: Request, bill: Bill) -> None:
        async with self._limiter.slot():
            try:
                async with asyncio.timeout(self._timeout_seconds):
                    await self._retry.run(
                        partial(self._request_completion, request, bill, send=self._send_now)
                    )
            except TimeoutError:
                raise build_timeout_error() from None

    async def get_models(self) -> list[str]:
        """Return the names of the models available to the account. Free of charge."""
        return await self._retry.run(partial(self._get, "/models", read_models))

    async def get_balance(self) -> Balance | None:
        """Return the account's balance; None if the server has no such call. Free of charge."""
        if "balance" in self._omit:
            return None
        return await self._retry.run(partial(self._get, "/user/balance", read_balance))

    async def _request_completion(
        self,
        request: Request,
        bill: Bill,
        *,
        send: Callable[[Call], Awaitable[object]] | None = None,
    ) -> Completion:
        self._check_affordable(request, bill)
        bill.attempts += 1
        parameters = request.build_parameters(self._model, self._response_format, self._omit)
        body = encode_body(parameters, system=request.system, user=request.user)

        # The package's own method for completions costs as much as the rest of the request: it
        # looks up the type of each value of the body.
        async def create() -> httpx2.Response:
            return await self._api.post("/chat/completions", content=body, cast_to=httpx2.Response)

        async with count_attempt("deepseek"):
            answer = await (send or self._send)(create)
            usage = parse_usage(answer, most_usage(request.characters, request.max_tokens))
            bill.usage += usage
            count_usage(usage, cost_usd(self._model, usage, self._clock()))
            sent = describe_request(body, parameters)
            return read_completion(answer, self._model, bill, sent, self._api_key)

    def _check_affordable(self, request: Request, bill: Bill) -> None:
        most = most_usd(
            self._model, request.characters, request.max_tokens, self._clock(), already=bill.usage
        )
        if bill.most_usd is not None and most > bill.most_usd:
            raise DeepSeekCostlyError(
                "Ещё один запрос к DeepSeek об этом чате мог бы стоить больше, чем на чат отложено."
            )

    async def _get(self, path: str, read: Callable[[object], T]) -> T:
        async with count_attempt("deepseek"):
            return read(await self._send(lambda: self._api.get(path, cast_to=httpx2.Response)))

    async def _send(self, call: Call) -> Any:
        """Execute one attempt as soon as a slot is free."""
        async with self._limiter.slot():
            return await self._send_now(call)

    async def _send_now(self, call: Call) -> Any:
        """Execute one attempt and return its JSON; convert failures to DeepSeek's errors."""
        if not self._api_key or not self._api_key.isascii():
            raise build_key_error()  # no header can contain it
        try:
            # The package's timeout restarts with every blank line that keeps the connection open.
            async with asyncio.timeout(self._timeout_seconds):
                answer = await call()
        except TimeoutError:
            raise build_timeout_error() from None
        except UnreadableBodyError as error:
            raise build_unreadable_error(error) from None
        except openai.APIError as error:
            # Drop the cause: its text is DeepSeek's whole response.
            raise convert_error(error, self._clock(), self._api_key) from None
        try:
            return read_json(answer.content.decode("utf-8-sig", "replace"))
        except (ValueError, RecursionError):
            raise build_format_error() from None


def _build_truncated_error(max_tokens: int, bill: Bill) -> DeepSeekTruncatedError:
    error = DeepSeekTruncatedError(
        f"Ответ DeepSeek не уместился и в {max_tokens} токенов: чат остаётся без оценки."
    )
    error.usage = bill.usage
    return error
