"""Notices a message that speaks to the grader instead of the other person. A flag for people, never a reason for a grade."""

import re

from app.grading.hygiene import clean

_ORDER = r"(?:оцени\w*|постав\w*|выстав\w*|присво\w*|напиши\w*|верни\w*|rate|give|grade|score|assign|output|return)"
_PRAISE = r"(?:высок\w*|высш\w*|максимальн\w*|отличн\w*|наивысш\w*|сто баллов|100|high\w*|max\w*|perfect|excellent|top)"
_GRADED = (
    r"(?:диалог\w*|переписк\w*|тональност\w*|профессионализм\w*|ясност\w*|(?:все|всем|шести|каждому) критери\w*|работ\w+ с возражени\w*"
    r"|chat|conversation|dialog\w*|tonality|professionalism|clarity|closure|criteri\w+)"
)
_MODEL = (
    r"(?:нейросет\w*|искусственн\w+ интеллект\w*|языков\w+ модел\w*|(?<!\w)ии(?!\w)|ассистент\w*|оценщик\w*|проверяющ\w+"
    r"|gpt|chatgpt|deepseek|llm|language model|grader|evaluator)"
)
_JUDGING = r"(?:оцени\w*|оценк\w*|балл\w*|критери\w*|инструкци\w*|диалог\w*|переписк\w*|grade|score|rating|instruction\w*)"
_SIGNS = tuple(
    re.compile(pattern, re.IGNORECASE)
    for pattern in (
        # orders to forget the orders
        r"(?:игнориру|проигнорир|забуд|отмен|не учитыва|обойди)\w*\W+(?:\w+\W+){0,2}?(?:все|всё|предыдущ|прошл|прежн|сво|выше|систем)\w*\W+"
        r"(?:\w+\W+){0,2}?(?:инструкци|указани|промпт|prompt)",
        r"(?:игнориру\w*|забуд\w*)\W+(?:\w+\W+){0,2}?(?:предыдущ|прошл|прежн)\w*\W+правил",
        r"(?:ignore|disregard|forget|override|bypass)\W+(?:\w+\W+){0,4}?(?:instruction|prompt|rule|guideline|rubric)",
        r"(?:system|системн\w+|developer)[ _-]?(?:prompt|промпт|инструкци|message|override)|\bпромпт\w*.{0,20}(?:инструкци|оценк)",
        r"(?:new|новые|новая|updated)\W+(?:instruction|инструкци)\w*\W*(?::|для (?:модел|нейросет|проверяющ|оценщик|ассистент))",
        # orders about the grade
        rf"{_ORDER}.{{0,60}}{_PRAISE}.{{0,40}}{_GRADED}|{_ORDER}.{{0,60}}{_GRADED}.{{0,40}}{_PRAISE}|{_PRAISE}.{{0,30}}оценк\w*.{{0,30}}{_GRADED}",
        r"(?:give|assign|award)\W+(?:\w+\W+){0,4}?(?:highest|high|perfect|maximum|top|full)\W+(?:grade|score|rating|mark)s?",
        rf"(?<!\w){_MODEL}.{{0,15}}[,:—-].{{0,40}}{_JUDGING}|(?:для|dear|attention|note to|внимание)\W+(?:the\W+|ai\W+)?{_MODEL}",
        r"you are (?:now )?(?:an? )?(?:ai|assistant|grader|evaluator|judge|language model|llm)|ты (?:теперь|больше не|—|-)\W*"
        r"(?:ассистент|оценщик|проверяющий|модель|нейросеть|ии)(?!\w)",
        # the protocol's own marks
        r"\"(?:objection|criteria|checks|grade|objection_handling|tonality|problem_solving|professionalism)\"\s*:",
        r"\"r\"\s*:\s*\"(?:buyer|seller)\"|\b(?:problem_solving|objection_handling)\b|(?:grade|оценка)\s*[:=]\s*(?:high|высокая)",
        r"<\|?/?(?:system|im_start|im_end|assistant|user|chat|instructions?|endoftext)\|?>|\[/?(?:inst|system)\]|<<sys>>",
        r"^\W*(?:system|assistant|система|developer)\s*:|^#+\s*(?:system|instruction|инструкци)",
        r"^\W*системное сообщение|конец переписки\W*$",
    )
)


def addresses_grader(text: str) -> bool:
    """True where the text gives orders to a model or a grader, poses as a system message or carries the answer's format."""
    visible = clean(text)
    return any(sign.search(line) for line in visible.splitlines() for sign in _SIGNS)
