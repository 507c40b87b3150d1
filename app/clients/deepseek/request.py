"""One question to the model and the parameters that are sent with it."""

from collections.abc import Collection
from dataclasses import dataclass, replace
from typing import Any

_TEMPERATURE_AFTER_LOOP = 0.7
_SCHEMA_NAME = "grading"


@dataclass(frozen=True, slots=True)
class Request:
    """One question to the model, in the variant that is sent."""

    system: str
    user: str
    max_tokens: int
    temperature: float = 0

    @property
    def characters(self) -> int:
        """The length of the prompt."""
        return len(self.system) + len(self.user)

    def build_parameters(
        self, model: str, response_format: dict[str, Any], omit: Collection[str]
    ) -> dict[str, Any]:
        """Return the request parameters for reproducible JSON, without the messages.

        Thinking is on by default and would disable the temperature.
        """
        parameters = {
            "messages": [],
            "model": model,
            "max_tokens": self.max_tokens,
            "response_format": response_format,
            "temperature": self.temperature,
            "thinking": {"type": "disabled"},
        }
        return {name: value for name, value in parameters.items() if name not in omit}

    def enlarge(self, *, is_loop: bool) -> "Request":
        """Return the request to send after an answer that ran out of tokens.

        A server without ``temperature`` has its own, which is rarely 0.
        """
        temperature = _TEMPERATURE_AFTER_LOOP if is_loop else self.temperature
        return replace(self, max_tokens=2 * self.max_tokens, temperature=temperature)


def build_response_format(answer_schema: dict[str, Any] | None) -> dict[str, Any]:
    """Return the form of the answer: by a schema that the server enforces, or any JSON object."""
    if answer_schema is None:
        return {"type": "json_object"}
    named = {"name": _SCHEMA_NAME, "strict": True, "schema": answer_schema}
    return {"type": "json_schema", "json_schema": named}
