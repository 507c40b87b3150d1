"""Requests to the local DeepSeek, and the text of its answers."""

from typing import Any

import httpx

from tests.support.grading_protocol import GOOD, build_system_message, build_user_message

COMPLETIONS = "/chat/completions"


def build_request(**changes: Any) -> dict[str, Any]:
    """Return the body of a request to grade a chat."""
    return {
        "model": "deepseek-flash",
        "messages": [
            {"role": "system", "content": build_system_message()},
            {"role": "user", "content": build_user_message(GOOD)},
        ],
        "response_format": {"type": "json_object"},
        "thinking": {"type": "disabled"},
        "temperature": 0,
        "max_tokens": 4000,
    } | changes


def get_content(answer: httpx.Response) -> str:
    """Return the text that the model has written."""
    text: str = answer.json()["choices"][0]["message"]["content"]
    return text
