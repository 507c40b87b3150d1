"""Find sentences of the model that accuse the seller of rudeness."""

import re
from collections.abc import Iterable

_QUOTATION = re.compile(r"«[^«»]*»")
_SENTENCE = re.compile(r"[^.!?;…\n]+")
_RUDE = (
    r"(?:на|с)?груби(?:л\w{0,2}|т)(?!\w)|(?:на)?хам(?:ил\w{0,2}|ит)(?!\w)"
    r"|оскорб(?:ил\w{0,2}|ляет|лял\w{0,2})(?!\w)|обозвал\w?(?!\w)|обругал\w?(?!\w)|грубо(?!\w)"
)
_SELLER_IS_RUDE = re.compile(
    r"(?:продав(?:ец|щица)|менеджер)(?!\w)(?:(?!не |без |покупател|клиент).){0,80}?(?<!\w)"
    rf"(?:{_RUDE})"
)
_DO_NOT_BE_RUDE = re.compile(
    r"(?<!\w)не (?:груби(?:те|ть)|хами(?:те|ть)|оскорбля(?:йте|ть))(?!\w)"
    r"|извин\w{2,8} за (?:груб|хам|оскорб)"
)


def accuses_of_rudeness(summary: str, advice: Iterable[str]) -> bool:
    """Return whether the summary says that the seller was rude, or an advice presumes it.

    Words in «…» are those of the chat and do not count.
    """
    sentences = _SENTENCE.findall(_QUOTATION.sub(" ", summary).lower())
    return any(map(_SELLER_IS_RUDE.search, sentences)) or any(
        _DO_NOT_BE_RUDE.search(_QUOTATION.sub(" ", text).lower()) for text in advice
    )
