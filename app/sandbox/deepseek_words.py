"""The Russian words of the local DeepSeek: a summary out of a chat's facts, and advice that names a message."""

import re

from app.sandbox.deepseek_chat import GradedChat, first, opening
from app.sandbox.deepseek_checks import Finding, objection_of
from app.sandbox.deepseek_lexicon import QUESTION

MOST_ADVICE = 3
LONG_ENOUGH = re.compile(r"(\w+\W+){2}\w")  # a bare greeting tells nothing

# In the order of what hurts a buyer most; each sentence is about one message.
ADVICE = {
    "no_rudeness": "Сообщение {i}: уберите грубость, ответьте по делу и спокойно.",
    "no_hanging": "После сообщения {i} разговор повис: ответьте клиенту и назовите, что будет дальше.",
    "questions_closed": "Сообщение {i}: закройте последний вопрос клиента прямым ответом.",
    "timely": "Сообщение {i} пришло слишком поздно: отвечайте в рабочее время в пределах часа.",
    "direct_answers": "Сообщение {i}: ответьте на заданный вопрос, не отсылая клиента звонить или смотреть самому.",
    "option_offered": "На возражение из сообщения {i} предложите вариант: другой комплект, рассрочку, осмотр или безопасную оплату.",
    "argued": "На возражение из сообщения {i} приведите довод: что входит в цену и чем это подтверждается.",
    "acknowledged": "На возражение из сообщения {i} сначала дайте понять, что оно услышано.",
    "solution_offered": "Сообщение {i}: предложите решение, а не только сообщите факт.",
    "next_step": "Сообщение {i}: завершите следующим шагом с днём и временем.",
    "agreement": "Сообщение {i}: повторите договорённость и дождитесь подтверждения клиента.",
    "need_identified": "К сообщению {i}: задайте уточняющий вопрос, чтобы понять, что нужно клиенту.",
    "specifics": "Сообщение {i}: назовите цифры, сроки или адрес.",
    "competent": "Сообщение {i}: вместо предположения уточните и назовите точный факт.",
    "attentive": "К сообщению {i}: не заставляйте клиента переспрашивать, отвечайте полной фразой.",
    "courteous": "Сообщение {i}: начните с приветствия.",
    "readable": "Сообщение {i}: пишите законченными фразами, длинный текст делите на строки.",
    "literate": "Сообщение {i}: пишите без жаргона и с заглавной буквы.",
}


def summary(chat: GradedChat, findings: dict[str, Finding]) -> str:
    """Two to five sentences: who wrote how much, what was asked, how fast the answers came, what stood in the way, how it ended."""
    parts = [_counts(chat), _asked(chat), _speed(chat)]
    if objection := objection_of(chat):
        handled = [check for check in ("acknowledged", "argued", "option_offered") if findings.get(check, Finding("na")).value == "y"]
        answer = "возражение отработано" if len(handled) > 1 else "ответ на возражение слабый"
        parts.append(f"Клиент возразил: «{objection.text}»; {answer}.")
    if findings.get("no_rudeness", Finding("na")).value == "n":
        parts.append("Продавец был груб.")
    return " ".join(part for part in [*parts, _end(chat, findings)] if part)


def advice(chat: GradedChat, findings: dict[str, Finding]) -> list[dict[str, object]]:
    """One to three recommendations, the weightiest first; a faultless chat is named as an example."""
    last = (chat.seller or chat.buyer)[-1].i if chat.turns else 1
    wanting = [(words, findings[check]) for check, words in ADVICE.items() if check in findings and findings[check].value == "n"]
    found: list[dict[str, object]] = []
    for words, finding in wanting[:MOST_ADVICE]:
        i = finding.i or (finding.quote.i if finding.quote else last)
        found.append({"i": i, "t": words.format(i=i)})
    return found or [{"i": last, "t": f"Сообщение {last} и весь чат можно показать новичкам как образец."}]


def _counts(chat: GradedChat) -> str:
    buyer, seller = len(chat.buyer), len(chat.seller)
    return f"Клиент написал {buyer} {plural(buyer, 'сообщение', 'сообщения', 'сообщений')}, компания — {seller}."


def _asked(chat: GradedChat) -> str:
    if asked := first(QUESTION, chat.buyer):
        return f"Клиент спрашивал: «{asked.text}»."
    said = first(LONG_ENOUGH, chat.buyer) or opening(chat.buyer)
    return f"Клиент писал: «{said.text}»." if said else "Клиент писал без текста."


def _speed(chat: GradedChat) -> str:
    waits = [exchange.wait for exchange in chat.exchanges if exchange.wait is not None]
    if not waits:
        return ""
    start = f"Первый ответ занял {duration(waits[0])} рабочего времени" if waits[0] >= 1 else "Первый ответ пришёл без задержки"
    return f"{start}, дольше всего клиент ждал {duration(max(waits))}." if max(waits) > waits[0] else f"{start}."


def _end(chat: GradedChat, findings: dict[str, Finding]) -> str:
    if chat.hanging:
        return f"Сообщение клиента под номером {chat.hanging.i} осталось без ответа."
    if findings.get("agreement", Finding("na")).value == "y":
        return "Разговор закончился договорённостью."
    return "Договорённости в чате нет."


def duration(minutes: float) -> str:
    """Minutes as a person says them: «12 мин», «3 ч 10 мин»."""
    hours, rest = divmod(round(minutes), 60)
    return f"{hours} ч {rest} мин" if hours else f"{rest} мин"


def plural(number: int, one: str, few: str, many: str) -> str:
    """The form of a Russian noun that goes with a number."""
    if number % 100 in range(11, 15):
        return many
    return {1: one, 2: few, 3: few, 4: few}.get(number % 10, many)
