"""Prompt of the DeepSeek tests, and the call that sends it."""

from collections.abc import Callable
from typing import Any

from app.clients.deepseek import Completion, DeepSeekClient
from app.sandbox.deepseek import estimate_tokens

MakeDeepSeek = Callable[..., DeepSeekClient]

SYSTEM = "Ответь одним объектом JSON."
USER = "Дороговато, уступите?"
COMPLETIONS = "/chat/completions"
PROMPT_TOKENS = estimate_tokens(SYSTEM) + estimate_tokens(USER)


async def request_completion(client: DeepSeekClient, **options: Any) -> Completion:
    return await client.complete(system=SYSTEM, user=USER, **options)
