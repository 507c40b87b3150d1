"""Who wrote a message of a chat, and why the service decided so."""

from enum import StrEnum
from typing import NamedTuple

from app.domain.messages import Side
from app.domain.placeholders import Placeholder, find_placeholder


class AuthorKind(StrEnum):
    """Kind of the author of a message. Only the kinds of the company's messages are stored."""

    CLIENT = "client"
    PERSON = "person"
    BOT = "bot"
    """An automatic reply of the company."""
    ASSISTANT = "assistant"
    """Avito's notice that its own assistant has answered the buyer."""
    UNKNOWN = "unknown"
    """Perhaps a bot. The message counts as a person's until more copies of its text are known."""
    SYSTEM = "system"


class AuthorReason(StrEnum):
    """Why a message of the company has its kind. Stored in ``messages.author_reason``."""

    # bot
    LISTED = "listed"
    """AUTOREPLY_TEXTS_FILE has the text."""
    INSTANT = "instant"
    """The same text answers in many chats within seconds, and hardly ever a little later."""
    CONSTANT_DELAY = "constant_delay"
    """The same text answers in many chats after the same time."""
    ALWAYS_QUICK = "always_quick"
    """The same text always answers in many chats within a minute, also at night."""
    # unknown
    FEW_COPIES = "few_copies"
    """A first answer that was sent faster than a person types; too few chats have its text."""
    # person
    HUMAN_PACE = "human_pace"
    SLOWER_THAN_BOT = "slower_than_bot"
    """A bot uses the text too, but at another time after the buyer's message."""
    OWN_WORDS = "own_words"
    """A quick answer in words that hardly any other chat has."""
    NO_QUESTION = "no_question"
    """No message of the buyer comes before it."""
    NO_TEXT = "no_text"
    """A call, a number alone or another message without words."""

    @property
    def label(self) -> str:
        """The reason in Russian."""
        return _LABELS[self]


_LABELS = {
    AuthorReason.LISTED: "текст из списка автоответов (AUTOREPLY_TEXTS_FILE)",
    AuthorReason.INSTANT: "тот же текст приходит в разных чатах через секунды после клиента",
    AuthorReason.CONSTANT_DELAY: "тот же текст приходит в разных чатах через одно и то же время",
    AuthorReason.ALWAYS_QUICK: ("тот же текст всегда приходит в течение минуты, и ночью тоже"),
    AuthorReason.FEW_COPIES: (
        "так быстро человек не печатает, но таких сообщений пока мало; считается ответом человека"
    ),
    AuthorReason.HUMAN_PACE: "отправлено в темпе человека",
    AuthorReason.SLOWER_THAN_BOT: "текст автоответа, но отправлен не тогда, когда его шлёт бот",
    AuthorReason.OWN_WORDS: "быстрый ответ, но в других чатах такого текста почти нет",
    AuthorReason.NO_QUESTION: "не ответ: клиент до этого не писал",
    AuthorReason.NO_TEXT: "сообщение без слов",
}
_OF_TEMPLATES = {
    AuthorReason.INSTANT,
    AuthorReason.CONSTANT_DELAY,
    AuthorReason.ALWAYS_QUICK,
}


def read_author_kind(side: str, text: str, stored: str | None) -> AuthorKind:
    """Return the kind of a message's author.

    ``stored``: the kind of a company's message; None if it is not decided yet, and the message
    counts as a person's.
    """
    if side == Side.CLIENT:
        return AuthorKind.CLIENT
    if side == Side.COMPANY:
        return AuthorKind(stored) if stored else AuthorKind.PERSON
    is_assistant = find_placeholder(text) is Placeholder.ASSISTANT_ANSWERED
    return AuthorKind.ASSISTANT if is_assistant else AuthorKind.SYSTEM


def read_side(side: str, stored: str | None) -> Side:
    """Return the author's side for grading: a bot's message is not the company's own."""
    is_bot = side == Side.COMPANY and stored == AuthorKind.BOT
    return Side.BOT if is_bot else Side(side)


class TemplateFigures(NamedTuple):
    """The number of chats with a template, and its seconds after the buyer's message."""

    chats: int
    fastest: int | None
    slowest: int | None


def describe_author_reason(code: str | None, figures: TemplateFigures | None) -> str | None:
    """Return the stored reason in Russian, with the figures of its template if there are any.

    A release after this one may store a reason that this one does not have.
    """
    try:
        reason = AuthorReason(code) if code else None
    except ValueError:
        return code
    if reason is None:
        return None
    if reason not in _OF_TEMPLATES or figures is None:
        return reason.label
    chats, fastest, slowest = figures
    return f"{reason.label} (чатов: {chats}, от {fastest} до {slowest} с)"
