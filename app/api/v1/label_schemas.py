"""Schemas of the weekly sample and of its labels."""

import datetime
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field

from app.api.parameters import OptionalBody
from app.api.v1.review_schemas import Comment, Name
from app.api.v1.schemas import GradeWord, LocalMoment, ObjectionGradeWord


class LabelMessage(BaseModel):
    """One message of the graded window."""

    model_config = ConfigDict(from_attributes=True)

    side: Literal["client", "company", "bot"] = Field(
        description="Кто написал; bot — автоответчик компании."
    )
    sent_at: LocalMoment = Field(
        description="Когда отправлено, в REPORT_TIMEZONE.", examples=["2026-11-22T14:05:00+03:00"]
    )
    text: str = Field(
        description="Текст; у фото, голосового и прочего — слова в квадратных скобках.",
        examples=["Здравствуйте! Диван ещё продаётся?"],
    )


class LabelChat(BaseModel):
    """A sampled report: the chat as the model has seen it, without grades."""

    report_id: int = Field(description="Номер отчёта для PUT /labels/{report_id}.", examples=[35])
    chat_title: str = Field(
        description="Название объявления.", examples=["Диван угловой «Бергамо» с ящиком"]
    )
    client_name: str = Field(description="Имя клиента.", examples=["Елена"])
    labelled: bool = Field(description="Есть ли уже оценка человека вслепую.", examples=[False])
    messages: list[LabelMessage] = Field(description="Оценённые моделью сообщения, по порядку.")


class LabelLevel(BaseModel):
    """A grade with its description."""

    grade: ObjectionGradeWord = Field(description="Оценка.", examples=["Средняя"])
    text: str = Field(description="Когда она ставится.", examples=["Одно «нет» в проверках."])


class LabelCriterion(BaseModel):
    """A criterion of the rubric, for a person."""

    criterion: str = Field(description="Имя критерия.", examples=["tonality"])
    label: str = Field(description="Название критерия.", examples=["Тональность"])
    sentence: str = Field(
        description="Что оценивается.", examples=["Вежлив ли продавец и одинаков ли его тон."]
    )
    questions: list[str] = Field(
        description="Проверки: на что ответить себе до оценки.",
        examples=[["Продавец поздоровался?"]],
    )
    levels: list[LabelLevel] = Field(description="Оценки, которые можно поставить.")


class LabelSampleRead(BaseModel):
    """The sample of a week."""

    week: datetime.date = Field(description="Понедельник недели.", examples=["2026-11-23"])
    reports: int = Field(description="Отчётов за неделю, из которых выборка.", examples=[140])
    labelled: int = Field(description="Сколько чатов выборки уже оценено.", examples=[3])
    chats: list[LabelChat] = Field(
        description="Выборка: не больше десяти отчётов недели, случайных и одних и тех же для всех."
    )
    criteria: list[LabelCriterion] = Field(description="Критерии с проверками и уровнями.")


class LabelGrades(OptionalBody):
    """All six grades."""

    tonality_grade: GradeWord = Field(description="Оценка тональности.")
    professionalism_grade: GradeWord = Field(description="Оценка профессионализма.")
    clarity_grade: GradeWord = Field(description="Оценка ясности.")
    problem_solving_grade: GradeWord = Field(description="Оценка решения проблем.")
    objection_handling_grade: ObjectionGradeWord = Field(description="Оценка обработки возражений.")
    closure_grade: GradeWord = Field(description="Оценка завершения.")


class LabelBody(OptionalBody):
    """A person's grades of a sampled report, as sent by the client."""

    grades: LabelGrades = Field(description="Все шесть оценок, поставленных вслепую.")
    comment: Comment = Field(None, description="Пояснение.")
    reviewer: Name = Field(None, description="Кто оценил.")


LABEL_EXAMPLE = {
    "grades": {
        "tonality_grade": "Высокая",
        "professionalism_grade": "Высокая",
        "clarity_grade": "Средняя",
        "problem_solving_grade": "Высокая",
        "objection_handling_grade": "Нет возражений",
        "closure_grade": "Низкая",
    },
    "reviewer": "Мария",
}


class LabelResult(BaseModel):
    """The result of a label. It contains no grade of the model."""

    status: Literal["success"] = Field(description="Оценки сохранены.")
    message: str = Field(
        description="Что сохранено.", examples=["Оценки отчёта 35 вслепую сохранены."]
    )
    report_id: int = Field(description="Номер отчёта.", examples=[35])
