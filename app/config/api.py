"""Settings of the access to REST."""

from typing import Annotated

from pydantic import BaseModel, Field
from pydantic_settings import NoDecode

from app.config.setting_types import COMMA_SEPARATED, OwnKey


class ApiFields(BaseModel):
    """The keys of REST."""

    api_keys: Annotated[tuple[OwnKey, ...], NoDecode, COMMA_SEPARATED] = Field(
        (), description="ключи через запятую, каждый из 16 и более латинских букв, цифр и знаков"
    )
    """Keys that REST accepts in X-API-Key, comma-separated, each of at least 16 characters. Two
    keys are valid at a time while one replaces the other. Required by `serve`.
    """
