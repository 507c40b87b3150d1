"""Client of DeepSeek's API: one system message and one user message in, one JSON answer out."""

import asyncio
from collections.abc import Awaitable, Callable, Collection
from functools import partial
from types import TracebackType
from typing import Any, Protocol, Self, TypeVar

import httpx2
import openai

from app.clients.bounded_body import UnreadableBodyError
from app.clients.deepseek.api import create_api
from app.clients.deepseek.errors import (
    DeepSeekCostlyError,
    DeepSeekError,
    DeepSeekTimeoutError,
    DeepSeekTruncatedError,
)
from app.clients.deepseek.prices import most_usd
from app.clients.deepseek.responses import (
    build_format_error,
    build_key_error,
    build_timeout_error,
    build_unreadable_error,
    convert_error,
    parse_usage,
    read_balance,
    read_completion,
    read_models,
)
from app.clients.deepseek.schema import Balance, Bill, Completion, Usage
from app.clients.limiter import AdaptiveLimiter
from app.clients.retry import RetryPolicy
from app.clients.text import read_json
from app.clock import Clock, system_clock

T = TypeVar("T")

_PROBE_TOKENS = 16
"""Token limit of an answer that is requested only to check that the model answers."""


class HasContent(Protocol):
    """A response whose body was read completely."""

    @property
    def content(self) -> bytes:
        """The body."""


class DeepSeekClient:
    """Client of one DeepSeek account.

    Every method raises the errors of ``errors.py``. Close the client, or use it as a context
    manager.

    - ``timeout_seconds``: timeout of one attempt, from the moment it may start.
    - ``max_concurrency``: maximum number of requests in flight.
    - ``omit``: features that a DeepSeek-compatible server lacks: parts of a request, or
      ``balance``.
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
    ) -> None:
        self._api_key = api_key
        self._model = model
        self._timeout_seconds = timeout_seconds
        self._retry = retry
        self._clock = clock
        self._omit = frozenset(omit)
        self._limiter = AdaptiveLimiter(max_concurrency, slow=(DeepSeekTimeoutError,))
        self._api = create_api(
            base_url, api_key, max_concurrency=max_concurrency, timeout_seconds=timeout_seconds
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

    async def complete(
        self, *, system: str, user: str, max_tokens: int = 1500, bill: Bill | None = None
    ) -> Completion:
        """Return the model's answer.

        If the answer runs out of tokens, it is requested once more with twice as many. The text is
        not validated: it may be blank or not JSON. ``bill`` continues from earlier completions; a
        request that might exceed its limit is not sent.
        """
        bill = bill or Bill()
        try:
            for allowed_tokens in (max_tokens, 2 * max_tokens):
                completion = await self._retry.run(
                    partial(self._request_completion, system, user, allowed_tokens, bill)
                )
                if completion.finish_reason == "stop":
                    return completion
            raise DeepSeekTruncatedError(
                f"Ответ DeepSeek не уместился и в {2 * max_tokens} токенов: чат остаётся без"
                " оценки."
            )
        except DeepSeekError as error:
            error.usage = bill.usage
            raise

    async def probe(self, *, system: str, user: str) -> Usage:
        """Check that the model answers; return the usage of a minimal request.

        The answer's text is ignored. All attempts together share the timeout of one attempt.
        """
        bill = Bill()
        try:
            await self._request_probe(system, user, bill)
        except DeepSeekError as error:
            error.usage = bill.usage
            raise
        return bill.usage

    async def _request_probe(self, system: str, user: str, bill: Bill) -> None:
        try:
            async with asyncio.timeout(self._timeout_seconds):
                await self._retry.run(
                    partial(self._request_completion, system, user, _PROBE_TOKENS, bill)
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
        self, system: str, user: str, max_tokens: int, bill: Bill
    ) -> Completion:
        most = most_usd(
            self._model, len(system) + len(user), max_tokens, self._clock(), already=bill.usage
        )
        if bill.most_usd is not None and most > bill.most_usd:
            raise DeepSeekCostlyError(
                "Ещё один запрос к DeepSeek об этом чате мог бы стоить больше, чем на чат отложено."
            )
        bill.attempts += 1
        answer = await self._send(
            lambda: self._api.chat.completions.with_raw_response.create(
                model=self._model,
                messages=[{"role": "system", "content": system}, {"role": "user", "content": user}],
                max_tokens=max_tokens,
                extra_body=self._parameters,
            )
        )
        bill.usage += parse_usage(answer)
        return read_completion(answer, self._model, bill)

    @property
    def _parameters(self) -> dict[str, Any]:
        """Request parameters for reproducible JSON.

        Thinking is on by default and would disable the temperature.
        """
        parameters = {
            "response_format": {"type": "json_object"},
            "temperature": 0,
            "thinking": {"type": "disabled"},
        }
        return {name: value for name, value in parameters.items() if name not in self._omit}

    async def _get(self, path: str, read: Callable[[object], T]) -> T:
        return read(await self._send(lambda: self._api.get(path, cast_to=httpx2.Response)))

    async def _send(self, call: Callable[[], Awaitable[HasContent]]) -> Any:
        """Execute one attempt and return its JSON; convert failures to DeepSeek's errors."""
        if not self._api_key or not self._api_key.isascii():
            raise build_key_error()  # no header can contain it
        async with self._limiter.slot():
            try:
                # The package's timeout restarts with every blank line that keeps the connection
                # open.
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
