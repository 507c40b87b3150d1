"""Russian texts of the local DeepSeek: the summary of a chat and advice that quotes a message."""

import re

from app.sandbox.deepseek_chat import GradedChat, find_opening, find_quote
from app.sandbox.deepseek_checks import Finding, find_objection
from app.sandbox.deepseek_lexicon import QUESTION

MOST_ADVICE = 3
LONG_ENOUGH = re.compile(r"(\w+\W+){2}\w")  # excludes a bare greeting
FEW_WORDS = 5

# Ordered by the harm to the buyer. Each sentence concerns one message, identified by a few of its
# words or by its time. One names the number instead: a model sometimes does so against its
# instructions.
ADVICE = {
    "no_rudeness": "Уберите грубость ({place}), ответьте по делу и спокойно.",
    "no_hanging": "Разговор повис ({place}): ответьте клиенту и назовите, что будет дальше.",
    "questions_closed": "Закройте последний вопрос клиента прямым ответом ({place}).",
    "timely": (
        "Сообщение {i} пришло слишком поздно: на первое отвечайте в течение часа, на следующие —"
        " трёх."
    ),
    "direct_answers": (
        "Ответьте на заданный вопрос, не отсылая клиента звонить или смотреть самому ({place})."
    ),
    "option_offered": (
        "На возражение ({place}) предложите вариант: другой комплект, рассрочку, осмотр или"
        " безопасную оплату."
    ),
    "argued": (
        "На возражение ({place}) приведите довод: что входит в цену и чем это подтверждается."
    ),
    "acknowledged": "На возражение ({place}) сначала дайте понять, что оно услышано.",
    "solution_offered": "Предложите решение, а не только сообщите факт ({place}).",
    "next_step": "Завершите следующим шагом с днём и временем ({place}).",
    "agreement": "Повторите договорённость и дождитесь подтверждения клиента ({place}).",
    "need_identified": "Задайте уточняющий вопрос, чтобы понять, что нужно клиенту ({place}).",
    "specifics": "Назовите цифры, сроки или адрес ({place}).",
    "competent": "Вместо предположения уточните и назовите точный факт ({place}).",
    "attentive": "Не заставляйте клиента переспрашивать, отвечайте полной фразой ({place}).",
    "courteous": "Начните с приветствия ({place}).",
    "readable": "Пишите законченными фразами, длинный текст делите на строки ({place}).",
    "literate": "Пишите без жаргона и с заглавной буквы ({place}).",
}


def build_summary(chat: GradedChat, findings: dict[str, Finding]) -> str:
    """Build two to five sentences: message counts, question, objection and outcome."""
    parts = [_describe_counts(chat), _describe_question(chat)]
    if objection := find_objection(chat):
        handled = [
            check
            for check in ("acknowledged", "argued", "option_offered")
            if findings.get(check, Finding("na")).value == "y"
        ]
        answer = "возражение отработано" if len(handled) > 1 else "ответ на возражение слабый"
        parts.append(f"Клиент возразил: «{objection.text}»; {answer}.")
    if findings.get("no_rudeness", Finding("na")).value == "n":
        parts.append("Продавец был груб.")
    return " ".join(part for part in [*parts, _describe_end(chat, findings)] if part)


def build_advice(chat: GradedChat, findings: dict[str, Finding]) -> list[dict[str, object]]:
    """Build one to three recommendations, most important first.

    A chat without faults is recommended as an example.
    """
    last = (chat.seller or chat.buyer)[-1].i if chat.turns else 1
    failed = [
        (template, findings[check])
        for check, template in ADVICE.items()
        if check in findings and findings[check].value == "n"
    ]
    found: list[dict[str, object]] = []
    for template, finding in failed[:MOST_ADVICE]:
        i = finding.i or (finding.quote.i if finding.quote else last)
        found.append({"i": i, "t": template.format(i=i, place=_describe_message(chat, i))})
    return found or [
        {
            "i": last,
            "t": (
                "Весь чат можно показать новичкам как образец, до последнего слова"
                f" ({_describe_message(chat, last)})."
            ),
        }
    ]


def _describe_message(chat: GradedChat, i: int) -> str:
    """Describe a message by its first words, or by its time if it has no text."""
    turn = next((turn for turn in chat.turns if turn.i == i), None)
    if turn and turn.sentences:
        return f"«{' '.join(turn.sentences[0].split()[:FEW_WORDS])}»"
    return f"сообщение от {turn.at:%d.%m} в {turn.at:%H:%M}" if turn and turn.at else "в конце"


def _describe_counts(chat: GradedChat) -> str:
    buyer, seller = len(chat.buyer), len(chat.seller)
    return (
        f"Клиент написал {buyer} {pick_plural(buyer, 'сообщение', 'сообщения', 'сообщений')},"
        f" компания — {seller}."
    )


def _describe_question(chat: GradedChat) -> str:
    if question := find_quote(QUESTION, chat.buyer):
        return f"Клиент спрашивал: «{question.text}»."
    quote = find_quote(LONG_ENOUGH, chat.buyer) or find_opening(chat.buyer)
    return f"Клиент писал: «{quote.text}»." if quote else "Клиент писал без текста."


def _describe_end(chat: GradedChat, findings: dict[str, Finding]) -> str:
    if chat.unanswered:
        return (
            f"Сообщение клиента осталось без ответа: {_describe_message(chat, chat.unanswered.i)}."
        )
    if findings.get("agreement", Finding("na")).value == "y":
        return "Разговор закончился договорённостью."
    return "Договорённости в чате нет."


def pick_plural(number: int, one: str, few: str, many: str) -> str:
    """Return the form of a Russian noun that matches a number."""
    if number % 100 in range(11, 15):
        return many
    return {1: one, 2: few, 3: few, 4: few}.get(number % 10, many)
