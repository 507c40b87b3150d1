"""The second step of a mail: turn its stored figures into bytes and create its deliveries.

Rendering thousands of reports takes seconds, so it runs in a thread between two short transactions.
The same figures give the same bytes and the same ``Message-ID``. It therefore makes no difference
which process renders a mail, or whether two do.
"""

import asyncio
from collections.abc import Sequence
from datetime import date, datetime
from typing import NamedTuple

import structlog
from sqlalchemy.ext.asyncio import AsyncSession

from app.clock import Clock
from app.database.engine import Database
from app.domain.delivery_retry import FIRST_RETRY
from app.errors import DatabaseUnavailableError
from app.models import Digest, DigestKind
from app.repositories import deliveries, digests
from app.services.digests.figures import DigestFigures
from app.services.mail import mime
from app.services.mail.attachment import read_bodies, write_attachment
from app.services.mail.settings import MailSettings

log = structlog.get_logger(__name__)


class Rendered(NamedTuple):
    """The number of rendered mails, and the dates of those that could not be rendered."""

    mails: int
    failed: tuple[date, ...]


async def render_mails(database: Database, settings: MailSettings, clock: Clock) -> Rendered:
    """Render every mail without deliveries, also one whose process stopped before this step.

    A mail that cannot be rendered does not affect the others.
    """
    async with database.session() as session:
        undelivered = await digests.list_undelivered(session)
    failed = []
    for mail in undelivered:
        try:
            await _render_mail(database, settings, clock, mail)
        except DatabaseUnavailableError:
            raise
        except Exception:
            log.exception("mail.not_rendered", digest=mail.id)
            failed.append(mail.day)
    return Rendered(len(undelivered) - len(failed), tuple(failed))


async def _render_mail(
    database: Database, settings: MailSettings, clock: Clock, mail: Digest
) -> None:
    async with database.session() as session:
        bodies = await read_bodies(session, await _list_carrying_mails(session, mail))
    figures = DigestFigures.model_validate(mail.whole_figures or mail.figures)
    content = await asyncio.to_thread(
        _build_content, figures, bodies, settings.sender, mail.created_at
    )
    message_ids = {
        recipient: mime.make_message_id(mail.id, recipient, settings.sender, mail.created_at)
        for recipient in settings.recipients
    }
    async with database.transaction() as session:
        if await digests.set_mime(session, mail.id, content):
            await deliveries.add_deliveries(
                session, mail.id, message_ids, retry_at=clock() + FIRST_RETRY
            )


async def _list_carrying_mails(session: AsyncSession, mail: Digest) -> Sequence[int]:
    """Return the mails whose reports this mail contains; a repeat has those of earlier mails."""
    if mail.kind == DigestKind.RESEND:
        return await digests.list_carried(session, mail.day, before_id=mail.id)
    return [mail.id]


def _build_content(
    figures: DigestFigures, bodies: Sequence[str], sender: str, now: datetime
) -> bytes:
    attachment = write_attachment(bodies, figures)
    return mime.build_mime(figures, sender=sender, now=now, attachment=attachment)
