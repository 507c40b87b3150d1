"""Local DeepSeek: its API over HTTP. Fixed rules (`deepseek_rules`) replace the model."""

import asyncio
import json
import re
from collections.abc import AsyncIterator
from hashlib import sha256
from time import time
from typing import Any

from fastapi import FastAPI, Request
from fastapi.responses import JSONResponse, Response, StreamingResponse

from app.sandbox.deepseek_faults import Hang, Rewrite, error_body
from app.sandbox.deepseek_formats import describe_format_refusal
from app.sandbox.deepseek_rules import grade
from app.sandbox.faults import (
    BEHAVIOUR_KEY,
    FaultMiddleware,
    HttpSwitches,
    ReceivedRequest,
    Traffic,
)

MODELS = ("deepseek-flash", "deepseek-v4-pro")
FINGERPRINT = "fp_sandbox_rules_1"
_TOKEN = re.compile(r" ?[А-Яа-яЁё]{1,3}| ?[A-Za-z]{1,6}|\d{1,3}| ?[^\w\s]{1,3}|\s+|.", re.DOTALL)
"""A token of the sandbox. A Russian chat with its frame has 2.1 characters a token."""
TICK_SECONDS = 0.05


class LocalDeepSeek:
    """A local DeepSeek. `app` is served over HTTP; `switches` may be set while it runs.

    - `unsupported` simulates another vendor's server: its request fields and response formats
      (`json_schema`, as the real DeepSeek, or `json_object`) are refused; `balance` and `models`
      are not found.
    - `slot_seconds` simulates a small server of one's own. It has one slot: completions are served
      one after the other, each for so many seconds. A request whose client has gone is dropped,
      as vLLM, Ollama and llama.cpp do.
    """

    def __init__(self, *, api_key: str = "sk-sandbox") -> None:
        self.api_key = api_key
        self.switches = HttpSwitches()
        self.unsupported: set[str] = set()
        self.slot_seconds: float | None = None
        self._slot = asyncio.Lock()
        self.traffic = Traffic()
        self._seen_prefixes: set[str] = set()
        self.app = self._build_routes()
        self.app.add_middleware(FaultMiddleware, switches=self.switches, traffic=self.traffic)

    @property
    def requests(self) -> list[ReceivedRequest]:
        """Received requests, oldest first; `body` is the request as a dict."""
        return self.traffic.requests

    def _build_routes(self) -> FastAPI:
        app = FastAPI(openapi_url=None)

        @app.post("/chat/completions")
        @app.post("/v1/chat/completions")
        async def completions(request: Request) -> Response:
            body = json.loads(await request.body())
            await self._occupy_slot(request)
            refusal = (
                self._refuse_key(request)
                or self._refuse_unsupported(body)
                or self._refuse_request(body)
            )
            return refusal or _build_response(
                self._build_completion(body), request.scope.get(BEHAVIOUR_KEY)
            )

        @app.get("/models")
        @app.get("/v1/models")
        async def models(request: Request) -> Response:
            if "models" in self.unsupported:
                return JSONResponse({"detail": "Not Found"}, 404)
            rows = [{"id": model, "object": "model", "owned_by": "deepseek"} for model in MODELS]
            return self._refuse_key(request) or JSONResponse({"object": "list", "data": rows})

        @app.get("/user/balance")
        async def balance(request: Request) -> Response:
            if "balance" in self.unsupported:
                return JSONResponse({"detail": "Not Found"}, 404)
            money = {
                "currency": "USD",
                "total_balance": "25.00",
                "granted_balance": "0.00",
                "topped_up_balance": "25.00",
            }
            return self._refuse_key(request) or JSONResponse(
                {"is_available": True, "balance_infos": [money]}
            )

        return app

    async def _occupy_slot(self, request: Request) -> None:
        if self.slot_seconds is None:
            return
        async with self._slot:
            for _ in range(round(self.slot_seconds / TICK_SECONDS)):
                if await request.is_disconnected():
                    return
                await asyncio.sleep(TICK_SECONDS)

    def _refuse_key(self, request: Request) -> Response | None:
        if request.headers.get("authorization") == f"Bearer {self.api_key}":
            return None
        return JSONResponse(
            error_body("Authentication Fails, Your api key is invalid", "authentication_error"), 401
        )

    def _refuse_unsupported(self, body: dict[str, Any]) -> Response | None:
        foreign = sorted(self.unsupported & set(body))
        return (
            JSONResponse(
                error_body(f"Unrecognized request arguments supplied: {', '.join(foreign)}"), 400
            )
            if foreign
            else None
        )

    def _refuse_request(self, body: dict[str, Any]) -> Response | None:
        """Return the 400 of an unknown model, a missing message or a refused response format."""
        fault = describe_format_refusal(body, self.unsupported)
        if body.get("model") not in MODELS:
            fault = "Model Not Exist"
        elif not any(message.get("content") for message in body.get("messages", [])):
            fault = "Empty input messages"
        return JSONResponse(error_body(fault), 400) if fault else None

    def _build_completion(self, body: dict[str, Any]) -> dict[str, Any]:
        """Build the response of a completion.

        Content longer than `max_tokens` is truncated, and the finish reason is `length`.
        """
        system, user = _get_content(body, "system"), _get_content(body, "user")
        content = json.dumps(grade(system, user) or {}, ensure_ascii=False)
        allowed = body.get("max_tokens") or estimate_tokens(content)
        cut = estimate_tokens(content) > allowed
        message = {"role": "assistant", "content": "".join(_TOKEN.findall(content)[:allowed])}
        if body.get("thinking", {}).get("type") != "disabled":  # thinking is on by default
            message["reasoning_content"] = "Правила сандбокса применены по порядку критериев."
        return {
            "id": f"chatcmpl-{sha256(user.encode()).hexdigest()[:24]}",
            "object": "chat.completion",
            "created": int(time()),
            "model": body["model"],
            "system_fingerprint": FINGERPRINT,
            "choices": [
                {
                    "index": 0,
                    "message": message,
                    "logprobs": None,
                    "finish_reason": "length" if cut else "stop",
                }
            ],
            "usage": self._estimate_usage(
                system, user, message["content"] + message.get("reasoning_content", "")
            ),
        }

    def _estimate_usage(self, system: str, user: str, written: str) -> dict[str, int]:
        """Estimate the tokens.

        From its second use, the system message is a cache hit: whole prefixes are cached
        automatically.
        """
        hit = estimate_tokens(system) if system in self._seen_prefixes else 0
        self._seen_prefixes.add(system)
        prompt, completion = (
            estimate_tokens(system) + estimate_tokens(user),
            estimate_tokens(written),
        )
        return {
            "prompt_tokens": prompt,
            "completion_tokens": completion,
            "total_tokens": prompt + completion,
            "prompt_cache_hit_tokens": hit,
            "prompt_cache_miss_tokens": prompt - hit,
        }


def estimate_tokens(text: str) -> int:
    """Return the number of tokens of a text."""
    return len(_TOKEN.findall(text))


def _build_response(completion: dict[str, Any], behaviour: object) -> Response:
    if isinstance(behaviour, Rewrite):
        behaviour.change(completion)
    if isinstance(behaviour, Hang):
        return StreamingResponse(
            _send_blank_lines(completion, behaviour.seconds), media_type="application/json"
        )
    return JSONResponse(completion)


async def _send_blank_lines(completion: dict[str, Any], seconds: float) -> AsyncIterator[bytes]:
    for _ in range(round(seconds / TICK_SECONDS)):
        yield b"\n"
        await asyncio.sleep(TICK_SECONDS)
    yield json.dumps(completion, ensure_ascii=False).encode()


def _get_content(body: dict[str, Any], role: str) -> str:
    """Return the messages of a role, joined: several turns are read as one."""
    return "\n".join(
        str(message.get("content", ""))
        for message in body["messages"]
        if message.get("role") == role
    )
