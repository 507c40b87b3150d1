"""Russian texts of the local DeepSeek: the reasons, the summary, and advice about a message."""

import re

from app.sandbox.deepseek_chat import GradedChat, Quote, find_opening, find_quote
from app.sandbox.deepseek_claims import CriticalFault, Objection
from app.sandbox.deepseek_findings import Finding
from app.sandbox.deepseek_lexicon import QUESTION

MOST_ADVICE = 3
LONG_ENOUGH = re.compile(r"(\w+\W+){2}\w")  # excludes a bare greeting
FEW_WORDS = 5
QUOTATION_MARK = re.compile(r"[«»“”„\"]")
NO_OBJECTIONS = "Сомнений и несогласия в словах клиента не нашлось."

# Ordered by the harm to the buyer. Each sentence concerns one message, identified by a few of its
# words or by its time. One names the number instead: a model sometimes does so against its
# instructions.
ADVICE = {
    "insult": "Извинитесь перед клиентом и впредь не обзывайте его ({place}).",
    "outside_payment": "Соглашайтесь на сделку через Авито, перевода не требуйте ({place}).",
    "false_availability": "Проверяйте остаток до того, как звать клиента ({place}).",
    "no_rudeness": "Уберите грубость, ответьте по делу и спокойно ({place}).",
    "no_hanging": "Разговор повис: ответьте клиенту и назовите, что будет дальше ({place}).",
    "direct_answers": "Отвечайте прямо: да, нет или число ({place}).",
    "questions_answered": (
        "Ответьте на заданный вопрос, не отсылая клиента звонить или смотреть самому ({place})."
    ),
    "acknowledged": "Сначала дайте понять, что сомнение клиента услышано ({place}).",
    "option_offered": (
        "На сомнение клиента предложите другой комплект, рассрочку или безопасную оплату ({place})."
    ),
    "argued": "Объясните клиенту, что входит в цену и чем это подтверждается ({place}).",
    "solution_offered": "Предложите, как поступить, а не только сообщите факт ({place}).",
    "details_given": "Дайте клиенту нужное для сделки или объясните отказ ({place}).",
    "next_step": "Завершите следующим шагом с днём и временем ({place}).",
    "agreement": "Повторите договорённость клиента своими словами ({place}).",
    "specifics": "В сообщении {i} назовите точные цифры вместо общих слов.",
    "competent": "Вместо предположения уточните и назовите точный факт ({place}).",
    "attentive": "Отзовитесь на слова клиента и не спрашивайте о написанном ({place}).",
    "courteous": "Начните с приветствия ({place}).",
    "readable": "Пишите законченными фразами, длинный текст делите на строки ({place}).",
    "literate": "Пишите без жаргона ({place}).",
}
# What the seller did and what the seller did wrong, by check.
PHRASES = {
    "courteous": ("обратился вежливо", "не поздоровался в ответ"),
    "no_rudeness": ("обошёлся без резкостей", "ответил резко"),
    "attentive": ("отозвался на слова клиента", "пропустил слова клиента мимо ушей"),
    "competent": ("не путался в товаре", "сам не уверен в своих словах"),
    "literate": ("писал без жаргона", "писал на жаргоне"),
    "direct_answers": ("отвечал прямо", "отвечал намёками"),
    "specifics": ("привёл точные данные", "обошёлся общими словами"),
    "readable": ("выразился ясно", "выразился так, что переспросили"),
    "questions_answered": ("ответил на вопросы", "ушёл от вопроса"),
    "solution_offered": ("предложил, как поступить", "не предложил, как поступить"),
    "details_given": ("дал нужное для сделки", "отказал без объяснений"),
    "argued": ("привёл доводы", "обошёлся без доводов"),
    "option_offered": ("предложил вариант", "не предложил другого варианта"),
    "next_step": ("назвал следующий шаг", "не назвал следующего шага"),
    "agreement": ("подтвердил уговор", "не подтвердил уговор"),
    "no_hanging": ("довёл разговор до конца", "оставил разговор без конца"),
}


def build_reason(
    findings: dict[str, Finding], quotes: list[Quote], objections: list[Objection]
) -> str:
    """Build one sentence: the faults, or the merits if there are none, and the first quote."""
    faults = [name for name, found in findings.items() if found.value == "n"]
    merits = [name for name, found in findings.items() if found.value == "y"]
    phrases = [PHRASES[name][bool(faults)] for name in faults or merits if name in PHRASES]
    silent = sum(not objection.is_answered for objection in objections)
    if silent:
        phrases.insert(0, f"оставил без отклика возражений: {silent} из {len(objections)}")
    *first, last = phrases or ["действовал без явных промахов"]
    written = f"{', '.join(first)} и {last}" if first else last
    quoted = next((quote.text for quote in quotes if not QUOTATION_MARK.search(quote.text)), None)
    return f"Продавец {written}: {_describe_words(quoted)}." if quoted else f"Продавец {written}."


def build_summary(
    chat: GradedChat, findings: dict[str, Finding], objections: list[Objection]
) -> str:
    """Build two to four sentences: question, objection and outcome.

    The report has the numbers of messages, and they are of the whole chat.
    """
    parts = [_describe_question(chat)]
    if objections:
        answered = all(objection.is_answered for objection in objections)
        outcome = "продавец на это откликнулся" if answered else "ответ на возражение слабый"
        parts.append(f"Клиент возразил: {_describe_words(objections[0].quote.text)}; {outcome}.")
    if findings.get("no_rudeness", Finding("na")).value == "n":
        parts.append("Продавец был груб.")
    return " ".join(part for part in [*parts, _describe_end(chat, findings)] if part)


def build_advice(
    chat: GradedChat,
    findings: dict[str, Finding],
    objections: list[Objection],
    critical: list[CriticalFault],
) -> list[dict[str, object]]:
    """Build at most three recommendations, most important first; none without a fault."""
    last = (chat.seller or chat.buyer)[-1].i if chat.turns else 1
    places = {
        check: _find_place(found, last) for check, found in findings.items() if found.value == "n"
    }
    places |= {claim.fault: claim.quote for claim in critical}
    ignored = [objection.quote for objection in objections if not objection.is_answered]
    if ignored:
        places["acknowledged"] = ignored[0]
    failed = [check for check in ADVICE if check in places][:MOST_ADVICE]
    return [
        {
            "i": places[check].i,
            "t": ADVICE[check].format(
                i=places[check].i, place=_describe_message(chat, places[check])
            ),
        }
        for check in failed
    ]


def _find_place(finding: Finding, last: int) -> Quote:
    """Return the message that the advice is about, with its words if they show the fault."""
    i = finding.i or (finding.quote.i if finding.quote else last)
    return finding.quote if finding.quote and finding.quote.i == i else Quote(i, "")


def _describe_message(chat: GradedChat, place: Quote) -> str:
    """Describe a message by the first words of the quote or the text; without them by its time."""
    turn = next((turn for turn in chat.turns if turn.i == place.i), None)
    text = place.text or (turn.sentences[0] if turn and turn.sentences else "")
    words = " ".join(text.split()[:FEW_WORDS])
    if words and not QUOTATION_MARK.search(words):
        return _describe_words(words)
    return f"сообщение от {turn.at:%d.%m} в {turn.at:%H:%M}" if turn and turn.at else "в конце"


def _describe_words(text: str) -> str:
    """Quote words of the chat; words with quotation marks of their own are only mentioned."""
    return "своими словами" if QUOTATION_MARK.search(text) else f"«{text.rstrip(' .,;:')}»"


def _describe_question(chat: GradedChat) -> str:
    if question := find_quote(QUESTION, chat.buyer):
        return f"Клиент спрашивал: {_describe_words(question.text)}."
    quote = find_quote(LONG_ENOUGH, chat.buyer) or find_opening(chat.buyer)
    return f"Клиент писал: {_describe_words(quote.text)}." if quote else "Клиент писал без текста."


def _describe_end(chat: GradedChat, findings: dict[str, Finding]) -> str:
    if chat.unanswered:
        words = _describe_message(chat, Quote(chat.unanswered.i, ""))
        return f"Сообщение клиента осталось без ответа: {words}."
    if findings.get("agreement", Finding("na")).value == "y":
        return "Разговор закончился договорённостью."
    return "Договорённости в чате нет."
