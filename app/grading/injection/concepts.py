"""Find orders to a grader by their parts: addressee, act, object and value.

The wording of an attack is new every time. Its parts are not.
"""

import re

from app.grading.injection.part_rules import RULES_OF_PARTS
from app.grading.injection.parts import ADDRESSEE, OF_A_REVIEW

_STRETCH = 200
TOPIC = re.compile(
    "оцен|оцін|балл|(?<!\\w)бал|критер|рубрик|тональн|уров|отмет|показат|метрик"
    "|инструкц|указани|промпт|нейр|неир|интеллект|модел|алгоритм|провер|судь"
    "|аудит|контрол|ассес|асес|экзамен|качеств|систем|(?<!\\w)ии(?!\\w)|бот|кто"
    "|контекст|правил|настро|диалог|переписк|разговор|чат|резюме|summary|итог"
    "|вывод|отч|рекоменд|заключ|цитат|цитир|наоборот|идеал|эталон|образц|продав"
    "|менедж|сотруд|представ|вообраз|притвор|рол|команд|grade|grad|scor|rat|mark"
    "|criteri|rubric|prompt|instruct|rule|guideline|llm|gpt|(?<!\\w)ai(?!\\w)"
    "|deepseek|openai|evaluat|review|judg|assist|model|system|high|low"
    "|conversation|chat|dialog|above|pretend|you"
    " are|zek|kriter|bewert|note|baho|mezon|баға|критерий|instru|anweis|regeln"
    "|consigne|talimat|kural|qoida|нұсқау|ереже|низк|высок|ocen|vysok|данных"
    '|input|[<\\[{"#]|твоя|пять|засчит|нарушен|недостат|минус|плюс|замечан'
    "|аннулир|сниз|чек|check|замечани|анализ|снисход|вердикт|возраж|сделк|считай"
    "|вывод|обнул|балл|анализ|програм|машин|эксперт|note|recommend|tonality"
    "|closure|profession|objection|directive|отмен|сброс|хвал|букв|letter|忽|无视"
    "|机器人|系统|模型|报告|总结|评语|評価|採点|평가|الذكاء|المقي|ხელოვნ|შემფას|արհես|գնահ|בינה"
    "|מעריך|verdict|assess|penal|штраф|忘|打|给|评|დააიგნ|დაივი|უგულ|დაწერ|მიეც|დაუწ"
    "|تجاهل|انس|امنح|أعط|անտես|մոռաց|оныт|игътибар|күрсәт|ұмыт|елеме|unut|yok"
    " say|ignor|vergiss|oublie|olvida|zabud|забуд|метк|задач|task|none|medium|answer|prompt"
)
"""What every sign and every rule has one of: a text without any is looked at no further."""
_PATTERNS = {part: re.compile(part) for parts in RULES_OF_PARTS for part in parts}
_REVIEW = re.compile(OF_A_REVIEW)
_ADDRESSED = re.compile(ADDRESSEE)


def gives_order(line: str) -> bool:
    """Return whether a short stretch of a lower-case line has all parts of one of the rules."""
    return any(map(_has_a_rule, _stretches(line)))


def speaks_of_reviews(text: str) -> bool:
    """Return whether the text is about Avito's reviews, search or the writer's own plans."""
    return bool(_REVIEW.search(text.lower()))


def _has_a_rule(stretch: str) -> bool:
    """Return whether a stretch matches a rule.

    Plain loops: nearly every stretch is compared with every rule, and function calls would be half
    of the cost.
    """
    seen: dict[str, bool] = {}
    for parts in RULES_OF_PARTS:
        for part in parts:
            if part not in seen:
                seen[part] = _PATTERNS[part].search(stretch) is not None
            if not seen[part]:
                break
        else:
            return not speaks_of_reviews(stretch) or bool(_ADDRESSED.search(stretch))
    return False


def _stretches(line: str) -> list[str]:
    """Return the line in stretches of a few sentences that overlap by half."""
    return [
        line[start : start + _STRETCH]
        for start in range(0, max(1, len(line) - _STRETCH // 2), _STRETCH // 2)
    ]
