"""Rules of orders to a grader by concept.

A window that has a concept of each of a rule's masks is an order.
"""

import re

from app.grading.injection.lexicon import Concept

_OBJECT = (
    Concept.MARK
    | Concept.CRITERION
    | Concept.REPORT
    | Concept.FAULT
    | Concept.DEFECT
    | Concept.CHAT
    | Concept.STAFF
    | Concept.CLIENT
    | Concept.VALUE
)
_ASKED = Concept.ORDER | Concept.STATED | Concept.ALTERING
RULES: tuple[tuple[int, ...], ...] = (
    (Concept.READER, Concept.ORDER | Concept.ALTERING, _OBJECT),
    (Concept.READER, Concept.POLITE, Concept.MARK | Concept.CRITERION | Concept.STAFF),
    (Concept.READER, Concept.STAKE | Concept.NEED | Concept.FAULT),
    (Concept.MACHINE, Concept.NOT, Concept.ALTERING, Concept.FAULT),
    (Concept.CALLED, Concept.IMPERATIVE | Concept.YOU | _OBJECT | Concept.DIRECTIVE),
    (
        Concept.INTO_REPORT,
        Concept.STAFF,
        Concept.FAULT | Concept.MARK | Concept.CRITERION | Concept.ORDER | Concept.ALTERING,
    ),
    (Concept.INTO_REPORT, Concept.CHAT, Concept.DIRECTIVE | _ASKED),
    (
        Concept.HEADING,
        Concept.CHAT | Concept.CRITERION,
        Concept.VALUE | Concept.MARK | Concept.DEFECT,
    ),
    (Concept.HEADING, Concept.STAFF, Concept.MARK | Concept.CRITERION),
    (Concept.RULE, Concept.FAULT, Concept.NOT, Concept.DEFECT),
    (Concept.RULE, Concept.FAULT, Concept.ALTERING),
    (Concept.RULE, Concept.CHAT, Concept.NOT, Concept.DEFECT),
    (Concept.RULE, Concept.CHAT, Concept.THIS, Concept.VALUE),
    (Concept.CHAT, Concept.WORK, Concept.MARK | Concept.CHECK, Concept.STATED, Concept.ALTER),
    (Concept.CHAT, Concept.MARK, Concept.VALUE, Concept.STATED),
    (Concept.MARK, Concept.STATED, Concept.COUNT, Concept.NOT),
    (Concept.ALTERING, Concept.WORK, Concept.FAULT | Concept.CRITERION),
    (Concept.ALTERING, Concept.WRITE, Concept.NOT, Concept.ORDER, Concept.STAKE),
    (Concept.CRITERION, Concept.ORDER, Concept.COUNT),
    (Concept.MESSAGE, Concept.COUNT, Concept.ORDER, Concept.VALUE),
    (Concept.MARK, Concept.MESSAGE, Concept.ALTERING, Concept.NOT),
    (Concept.READER, Concept.NOT, Concept.ALTERING, Concept.ORDER | Concept.POLITE),
    (Concept.MACHINE, Concept.STAKE, Concept.FAULT),
    (Concept.READER, Concept.STAFF, Concept.VALUE | Concept.MARK | Concept.FAULT),
    (
        Concept.READER,
        Concept.YOU,
        Concept.MARK | Concept.VALUE,
        Concept.ORDER | Concept.STATED | Concept.STAFF | Concept.CHAT,
    ),
    (
        Concept.JUDGE,
        Concept.ORDER | Concept.ALTERING,
        Concept.CHAT | Concept.STAFF | Concept.CRITERION,
    ),
    (
        Concept.CRITERION,
        _ASKED | Concept.POLITE,
        Concept.VALUE
        | Concept.MARK
        | Concept.STAFF
        | Concept.REPORT
        | Concept.CHAT
        | Concept.STAKE,
    ),
    (Concept.CRITERION, Concept.STAKE),
    (
        Concept.CHAT,
        Concept.THIS,
        _ASKED,
        Concept.MARK
        | Concept.REPORT
        | Concept.VALUE
        | Concept.FAULT
        | Concept.DEFECT
        | Concept.CHECK,
    ),
    (Concept.CHAT, Concept.REPORT, Concept.ORDER | Concept.POLITE | Concept.ALTERING),
    (Concept.CHAT, Concept.ALTERING, Concept.MARK | Concept.DEFECT | Concept.CHECK),
    (Concept.CHAT, Concept.ALTERING, Concept.FAULT, Concept.REPORT | Concept.MARK | Concept.CHECK),
    (Concept.CHAT, Concept.THIS, Concept.VALUE, Concept.JUDGE),
    (Concept.STAFF, Concept.MARK, Concept.ALTERING),
    (Concept.STAFF, Concept.MARK, Concept.VALUE, Concept.ORDER),
    (
        Concept.RULE,
        Concept.CHAT | Concept.CRITERION,
        Concept.MARK
        | Concept.CRITERION
        | Concept.FAULT
        | Concept.DEFECT
        | Concept.VALUE
        | Concept.CHECK,
        _ASKED,
    ),
    (Concept.RULE, Concept.CRITERION, Concept.VALUE | Concept.YOU),
    (Concept.RULE, Concept.CHAT, Concept.STAFF, Concept.STATED),
    (Concept.ALTERING, Concept.MARK, Concept.YOU),
    (Concept.ALTERING, Concept.NOT, Concept.MARK, Concept.STAKE | Concept.YOU | Concept.FAULT),
    (Concept.ALTERING, Concept.REPORT, Concept.FAULT),
    (Concept.FAULT, Concept.ALTERING, Concept.STAKE, Concept.NOT),
    (Concept.ALTERING, Concept.CHECK, Concept.MESSAGE),
    (Concept.INSTEAD, Concept.REPORT | Concept.MARK, Concept.ORDER),
)
RULES_WITH_CALL = tuple(rule for rule in RULES if rule[0] == Concept.CALLED)
RULES_WITH_READER = tuple(rule for rule in RULES if rule[0] in {Concept.READER, Concept.CALLED})
WORK_OFFER = re.compile(
    r"ваканси|удал[её]нк|под ключ|для бизнеса|подработк|обучаю (?:нейро|модел|ии)"
    r"|разработ(?:ка|аю|чик) (?:ии|бот|чат|нейро)|антиплагиат"
)
"""A job or AI for sale: graders and grades are its goods."""
HIDDEN_OBJECT = (
    Concept.STAFF
    | Concept.MARK
    | Concept.REPORT
    | Concept.CRITERION
    | Concept.CHAT
    | Concept.MODEL
    | Concept.JUDGE
    | Concept.RULE
)
HIDDEN_ACT = Concept.ORDER | Concept.POLITE | Concept.DIRECTIVE
