"""Settings of the model's server: DeepSeek, or another with its API."""

from decimal import Decimal
from typing import Annotated, Literal, Self

from pydantic import BaseModel, Field, HttpUrl, model_validator
from pydantic_settings import NoDecode

from app.config.setting_types import COMMA_SEPARATED, Key


class DeepSeekFields(BaseModel):
    """Access to the model, its features, limits and budget."""

    deepseek_api_key: Key | None = Field(
        None, description="ключ из кабинета DeepSeek, без пробелов и русских букв"
    )
    """Key of DeepSeek's API. Required for grading."""
    deepseek_base_url: HttpUrl = Field(
        HttpUrl("https://api.deepseek.com"), description="адрес вида https://api.deepseek.com"
    )
    """Address of DeepSeek or of any OpenAI-compatible server, such as vLLM or Ollama."""
    deepseek_model: str = Field("deepseek-flash", min_length=1, description="имя модели")
    """Model that grades."""
    deepseek_max_concurrency: int = Field(32, ge=1, le=2500, description="целое число от 1 до 2500")
    """Chats that are graded at a time."""
    deepseek_timeout_seconds: float = Field(
        120, gt=0, le=3600, description="число секунд больше нуля и до 3600"
    )
    """Time limit of one request to the model."""
    deepseek_omit: Annotated[
        tuple[Literal["thinking", "response_format", "temperature", "balance"], ...],
        NoDecode,
        COMMA_SEPARATED,
    ] = Field((), description="слова thinking, response_format, temperature, balance через запятую")
    """Features that the server behind DEEPSEEK_BASE_URL lacks, comma-separated. They are not used.
    `response_format` is the same as DEEPSEEK_RESPONSE_FORMAT=none.
    """
    deepseek_response_format: Literal["json_object", "json_schema", "none"] = Field(
        "json_object", description="json_object, json_schema или none"
    )
    """What the server enforces on the answer: any JSON object, the JSON schema of an answer, or
    nothing. DeepSeek refuses json_schema; vLLM, Ollama, llama.cpp, LM Studio and Yandex know it,
    and small models need it.
    """
    deepseek_daily_budget_usd: Decimal | None = Field(
        None, ge=0, description="сумма в долларах, например 2.50"
    )
    """US dollars for one day of REPORT_TIMEZONE. Grading stops before the limit is exceeded; the
    other chats wait and the mail reports it. If it is not set, there is no limit.
    """

    @model_validator(mode="after")
    def _check_response_format(self) -> Self:
        if (
            self.deepseek_response_format == "json_schema"
            and "response_format" in self.deepseek_omit
        ):
            raise ValueError(
                "DEEPSEEK_RESPONSE_FORMAT: json_schema, а DEEPSEEK_OMIT запрещает response_format;"
                " оставьте что-то одно."
            )
        return self

    @property
    def deepseek_omitted(self) -> frozenset[str]:
        """What is not sent to the model's server, and not requested: from both settings."""
        if self.deepseek_response_format == "none":
            return frozenset({*self.deepseek_omit, "response_format"})
        return frozenset(self.deepseek_omit)
