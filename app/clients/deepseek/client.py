"""The client of DeepSeek's API: one system message and one user message in, one JSON answer out,
whatever happens on the way.
"""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Collection
from dataclasses import dataclass, field
from decimal import Decimal
from functools import partial
from types import TracebackType
from typing import Any, Protocol, Self, TypeVar

import httpx2
import openai

from app.clients.bounded_body import UnreadableBodyError, unpacked
from app.clients.deepseek.errors import DeepSeekCostlyError, DeepSeekError, DeepSeekTruncatedError
from app.clients.deepseek.prices import most_usd
from app.clients.deepseek.responses import (
    Reply,
    billed,
    failure,
    read_balance,
    read_models,
    read_reply,
    timed_out,
    unintelligible,
    unreadable,
    wrong_key,
)
from app.clients.deepseek.schema import Balance, Completion, Usage
from app.clients.limiter import AdaptiveLimiter
from app.clients.retry import RetryPolicy
from app.clients.text import read_json
from app.clients.tls import trusted
from app.clock import Clock, system_clock

T = TypeVar("T")

_FIRST_WORDS = 16
"""Tokens of an answer that is only asked for to see whether there is one."""
_LARGEST_ANSWER = 2**20
"""Bytes; the longest answer that is asked for has a fiftieth of it."""


class HasContent(Protocol):
    """An answer that was read to its end."""

    @property
    def content(self) -> bytes:
        """Its body."""


async def _bound(response: httpx2.Response) -> None:
    """Has the answer unpacked by us, before anything of it is read."""
    assert isinstance(response.stream, httpx2.AsyncByteStream)  # noqa: S101 - an asynchronous client's always is
    response.stream = _BoundedStream(response.stream, response.headers.pop("Content-Encoding", ""))


class _BoundedStream(httpx2.AsyncByteStream):
    """The body of an answer, unpacked and no larger than it may be."""

    def __init__(self, stream: httpx2.AsyncByteStream, encoding: str) -> None:
        self._stream, self._encoding = stream, encoding

    def __aiter__(self) -> AsyncIterator[bytes]:
        return unpacked(self._stream, self._encoding, _LARGEST_ANSWER)

    async def aclose(self) -> None:
        """Closes the connection, or gives it back."""
        await self._stream.aclose()


@dataclass(slots=True)
class Bill:
    """What the requests under it have taken so far, over all attempts, and the US dollars that they
    may cost; None: any sum.
    """

    most_usd: Decimal | None = None
    attempts: int = 0
    usage: Usage = field(default_factory=Usage)


class DeepSeekClient:
    """Talks to one DeepSeek account; every method raises DeepSeek's errors of ``errors.py``. Close
    it, or use it as a context.

    ``timeout_seconds`` is one attempt's deadline from the moment it may start, ``max_concurrency``
    how many may be in flight. ``omit`` names what a server in DeepSeek's place does not know: parts
    of a request, or ``balance``.
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
        self._limiter = AdaptiveLimiter(max_concurrency)
        # The package's own pool of 1,000 connections, of which 100 stay open, would be the limit
        # instead of ours.
        limits = httpx2.Limits(
            max_connections=max_concurrency, max_keepalive_connections=max_concurrency
        )
        self._api = openai.AsyncOpenAI(
            api_key=api_key
            or "none",  # without one the package would take OpenAI's from the environment
            base_url=base_url,
            max_retries=0,
            timeout=timeout_seconds,
            http_client=openai.DefaultAsyncHttpxClient(
                limits=limits,
                verify=trusted(),
                headers={"Accept-Encoding": "gzip"},
                event_hooks={"response": [_bound]},
            ),
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
        """Closes the connections."""
        await self._api.close()

    @property
    def model(self) -> str:
        """The name of the model that is asked for."""
        return self._model

    async def complete(
        self, *, system: str, user: str, max_tokens: int = 1500, bill: Bill | None = None
    ) -> Completion:
        """The model's answer. One that runs out of tokens is asked for once more with twice as
        many.

        The text is not looked at: it may be blank or not JSON, and judging it is the caller's
        business. ``bill`` goes on from earlier completions: no request is sent that might cost more
        than it allows.
        """
        bill = bill or Bill()
        try:
            for allowed_tokens in (max_tokens, 2 * max_tokens):
                reply = await self._retry.run(
                    partial(self._ask, system, user, allowed_tokens, bill)
                )
                if reply.finish_reason == "stop":
                    return self._completion(reply, bill)
            raise DeepSeekTruncatedError(
                f"Ответ DeepSeek не уместился и в {2 * max_tokens} токенов: чат остаётся без"
                " оценки."
            )
        except DeepSeekError as error:
            error.usage = bill.usage
            raise

    async def probe(self, *, system: str, user: str) -> Usage:
        """What the first words of an answer are billed, whatever they say: asks whether the model
        answers at all.

        All the attempts together may take as long as one of a completion.
        """
        bill = Bill()
        try:
            await self._first_words(system, user, bill)
        except DeepSeekError as error:
            error.usage = bill.usage
            raise
        return bill.usage

    async def _first_words(self, system: str, user: str, bill: Bill) -> None:
        try:
            async with asyncio.timeout(self._timeout_seconds):
                await self._retry.run(partial(self._ask, system, user, _FIRST_WORDS, bill))
        except TimeoutError:
            raise timed_out() from None

    async def get_models(self) -> list[str]:
        """The names of the models that the account may use. Costs nothing."""
        return await self._retry.run(partial(self._get, "/models", read_models))

    async def get_balance(self) -> Balance | None:
        """What is left on the account, None where the server has no such thing. Costs nothing."""
        if "balance" in self._omit:
            return None
        return await self._retry.run(partial(self._get, "/user/balance", read_balance))

    async def _ask(self, system: str, user: str, max_tokens: int, bill: Bill) -> Reply:
        most = most_usd(
            self._model, len(system) + len(user), max_tokens, self._clock(), already=bill.usage
        )
        if bill.most_usd is not None and most > bill.most_usd:
            raise DeepSeekCostlyError(
                "Ещё один запрос к DeepSeek об этом чате мог бы стоить больше, чем на чат отложено."
            )
        bill.attempts += 1
        answer = await self._answer(
            lambda: self._api.chat.completions.with_raw_response.create(
                model=self._model,
                messages=[{"role": "system", "content": system}, {"role": "user", "content": user}],
                max_tokens=max_tokens,
                extra_body=self._manner,
            )
        )
        bill.usage += billed(answer)
        return read_reply(answer)

    @property
    def _manner(self) -> dict[str, Any]:
        """How the model is to answer: JSON, and always the same. Thinking is on by default, and
        then the temperature does not count.
        """
        manner = {
            "response_format": {"type": "json_object"},
            "temperature": 0,
            "thinking": {"type": "disabled"},
        }
        return {name: value for name, value in manner.items() if name not in self._omit}

    async def _get(self, path: str, read: Callable[[object], T]) -> T:
        return read(await self._answer(lambda: self._api.get(path, cast_to=httpx2.Response)))

    async def _answer(self, call: Callable[[], Awaitable[HasContent]]) -> Any:
        """The JSON that one attempt is answered, whose failures leave as our errors."""
        if not self._api_key or not self._api_key.isascii():
            raise wrong_key()  # no header can carry it
        async with self._limiter.slot():
            try:
                # The package's own time-out starts anew with every blank line that keeps a waiting
                # connection open.
                async with asyncio.timeout(self._timeout_seconds):
                    answer = await call()
            except TimeoutError:
                raise timed_out() from None
            except UnreadableBodyError as error:
                raise unreadable(error) from None
            except openai.APIError as error:
                # Without the cause: its text is DeepSeek's whole answer.
                raise failure(error, self._clock(), self._api_key) from None
        try:
            return read_json(answer.content.decode("utf-8-sig", "replace"))
        except (ValueError, RecursionError):
            raise unintelligible() from None

    def _completion(self, reply: Reply, bill: Bill) -> Completion:
        return Completion(
            text=reply.text,
            model=reply.model or self._model,
            fingerprint=reply.fingerprint,
            prompt_hit_tokens=bill.usage.prompt_hit_tokens,
            prompt_miss_tokens=bill.usage.prompt_miss_tokens,
            completion_tokens=bill.usage.completion_tokens,
            finish_reason=reply.finish_reason,
            attempts=bill.attempts,
        )
