"""The second step of a mail: turn its stored figures into bytes and create its deliveries.

Rendering thousands of reports takes seconds, so it runs in a thread. The reports are read in chunks
with a short transaction each; no transaction and no lock is open while a chunk is written. The same
figures give the same bytes and the same ``Message-ID``. It therefore makes no difference which
process renders a mail, or whether two do.

A report that is deleted after its mail was created is missing in the sheet and counts in the
figures.
"""

import asyncio
from collections.abc import AsyncIterator, Sequence
from datetime import date
from functools import partial
from typing import NamedTuple
from zoneinfo import ZoneInfo

import structlog
from sqlalchemy.ext.asyncio import AsyncSession

from app.clock import Clock
from app.database.engine import Database
from app.domain.delivery_retry import FIRST_RETRY
from app.errors import DatabaseUnavailableError
from app.models import Digest, DigestKind
from app.repositories import deliveries, digests
from app.repositories.report_filter import ReportFilter
from app.repositories.report_list import ReportList
from app.services.digests.stored_figures import parse_figures
from app.services.mail import mime
from app.services.mail.attachment import write_attachment
from app.services.mail.settings import MailSettings
from app.services.reports.reading import stream_pages
from app.services.reports.xlsx_file import MAX_ROWS

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
        unrendered = await digests.list_unrendered(session)
    failed = []
    for mail in unrendered:
        try:
            await _render_mail(database, settings, clock, mail)
        except DatabaseUnavailableError:
            raise
        except Exception:
            log.exception("mail.not_rendered", digest=mail.id)
            failed.append(mail.day)
    return Rendered(len(unrendered) - len(failed), tuple(failed))


async def _render_mail(
    database: Database, settings: MailSettings, clock: Clock, mail: Digest
) -> None:
    figures = await asyncio.to_thread(parse_figures, mail.figures)
    async with database.session() as session:
        carrying = await _list_carrying_mails(session, mail)
    reports = _read_reports(database, carrying, ZoneInfo(figures.timezone))
    build_mime = partial(
        mime.build_mime,
        figures,
        sender=settings.sender,
        now=mail.created_at,
        attachment=await write_attachment(reports, figures),
    )
    content = await asyncio.to_thread(build_mime)
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


async def _read_reports(
    database: Database, digest_ids: Sequence[int], zone: ZoneInfo
) -> AsyncIterator[list[bytes]]:
    """Yield the newest reports of these mails in chunks, at most ``MAX_ROWS``."""
    listed = ReportList(ReportFilter(digest_ids=digest_ids), zone)
    async for page in stream_pages(database, listed, None, MAX_ROWS):
        yield page.bodies
