"""Settings of the grading: which chats, when, and by which rules."""

from pathlib import Path
from typing import Annotated

from pydantic import BaseModel, Field
from pydantic_settings import NoDecode

from app.config.setting_types import Hours
from app.domain.working_hours import ROUND_THE_CLOCK, WorkingHours


class GradingFields(BaseModel):
    """Which chats are graded, when, and by which rules."""

    grade_within_days: int = Field(7, ge=1, le=3650, description="целое число дней от 1 до 3650")
    """The daily run grades only chats in which a person wrote within this many days or since the
    last finished daily run, and chats left failed or waiting. Older chats are graded by a call
    only, so that the import of an old account is not paid for by accident.
    """
    episode_gap_hours: float = Field(
        72, gt=0, le=8760, description="число часов больше нуля и до 8760"
    )
    """Silence after a message of the company after which the buyer begins a new episode."""
    settle_minutes: int = Field(30, ge=0, le=1440, description="целое число минут от 0 до 1440")
    """Working time (WORKING_HOURS) after the buyer's last message before a chat is graded. Until
    then it waits, unless the company answers. 0: chats do not wait.
    """
    working_hours: Annotated[Hours, NoDecode] = Field(
        None,
        description=(
            "дни и часы вида Пн-Пт 09:00-18:00, Сб 10:00-16:00; часы не переходят через полночь"
        ),
    )
    """Days and hours, in REPORT_TIMEZONE, that count for answer times and SETTLE_MINUTES, for
    example `Пн-Пт 09:00-18:00, Сб 10:00-16:00`. If it is not set, all hours count for
    answer times, and the hours from 9 to 21 of every day for SETTLE_MINUTES and late answers. The
    list of waiting buyers always counts all hours.
    """
    mask_personal_data: bool = Field(True, description="true или false")
    """Whether phones, addresses, names and other personal data are replaced by tokens before a text
    is sent to the model.
    """
    rubric_file: Path | None = Field(None, description="путь к файлу рубрики")
    """File with your own criteria, in the form of app/grading/rubric.json. If it is not set, that
    file is used.
    """

    autoreply_texts_file: Path | None = Field(
        None, description="путь к файлу с текстами автоответов"
    )
    """File with the texts of your automatic replies, one in a line, at most 200; `{имя}` stands
    for words that vary, `\\n` for a line break. A message with such a text is never a person's.
    Other automatic replies are found without it. Read at the start; the next sync applies a change
    to all stored messages.
    """

    company_facts_file: Path | None = Field(
        None, description="путь к файлу со сведениями о компании"
    )
    """File with facts about the company, such as prices of delivery and sizes: UTF-8, at most 8,000
    characters. The model gets them, unmasked, and statements that contradict them are flagged.
    """

    steadiness_share: float = Field(0.05, ge=0, le=1, description="доля от 0 до 1")
    """Share of chats that is graded twice. The first grading is the report; the summary and the
    mail show how often the second one differs. 0: no chat is graded twice.
    """

    @property
    def answer_hours(self) -> WorkingHours:
        """The working hours by which answer times are counted for figures."""
        return self.working_hours or ROUND_THE_CLOCK
