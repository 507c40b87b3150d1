"""Find the contact or meeting of a stored chat in a worker process, for the view of the chat."""

from collections.abc import Sequence

import structlog

from app.domain.contact import Contact
from app.domain.episode import window
from app.domain.messages import ChatMessage
from app.services.analysis.chat_work import read_contact
from app.services.analysis.grader import Grader
from app.services.analysis.worker_pool import ChatWorkError

log = structlog.get_logger(__name__)


async def find_chat_contact(grader: Grader, messages: Sequence[ChatMessage]) -> Contact | None:
    """Return the contact or meeting of the messages that a grading would see.

    It is None also if the texts exceed the time or memory of one chat.

    Raises:
        WorkersUnavailableError: no process can be started.
    """
    graded = tuple(window(messages, grader.episode_gap))
    if not any(message.has_text for message in graded):
        return None
    allowance = grader.pool.make_allowance()
    try:
        return await grader.pool.run(read_contact, graded, allowance=allowance)
    except ChatWorkError:
        log.warning("contact.texts_unprocessable", messages=len(graded))
        return None
