"""One attempt to deliver a mail to one recipient, protected by its own claim and the run's lease.

The attempt is claimed before the mail server is contacted, and the claim is prolonged before the
final dot. Immediately before the dot the lease is checked again by the monotonic clock: a process
that was frozen in the meantime sends nothing.
"""

import asyncio
import time
import uuid
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import structlog
from sqlalchemy.ext.asyncio import AsyncSession

from app.clients.mail import MailAccessError, MailRefusedError
from app.clock import Clock
from app.database.engine import Database
from app.domain.delivery_retry import find_pause, has_expired, is_final_refusal
from app.errors import DatabaseUnavailableError, UpstreamError
from app.repositories import delivery_claims, digests
from app.repositories.deliveries import OpenDelivery
from app.repositories.delivery_claims import ClaimedDelivery
from app.services.mail import mime
from app.services.mail.settings import MailSettings
from app.services.run_params import MailParams
from app.services.runs import LeaseLostError, RunContext

log = structlog.get_logger(__name__)

_RESULT_IN = timedelta(seconds=delivery_claims.GONE_SECONDS + 10)
"""When the scheduler next checks a delivery whose attempt has written no result."""


@dataclass(frozen=True)
class AttemptOutcome:
    """The result of a delivery in this run; ``failure`` is a Russian sentence.

    If neither is set, another attempt has finished the delivery.
    """

    sent: bool = False
    failure: str | None = None


class _OvertakenError(Exception):
    """Another attempt has claimed or finished the delivery."""


class Attempt:
    """An attempt with its own token. ``past_dot``: the mail server may have the mail."""

    def __init__(
        self,
        database: Database,
        settings: MailSettings,
        clock: Clock,
        run: RunContext[MailParams],
        delivery: OpenDelivery,
    ) -> None:
        self.past_dot = False
        self._database = database
        self._settings = settings
        self._clock = clock
        self._run = run
        self._delivery = delivery
        self._token = uuid.uuid4()
        self._backend: str | None = None

    @property
    def stopping(self) -> bool:
        """Whether the service is stopping."""
        return self._run.stopping.is_set()

    async def make(self) -> AttemptOutcome:
        """Claim the delivery, send the mail and write the result.

        Raises:
            LeaseLostError: the run's lease was lost before the final dot; nothing was sent or
                written.
            DatabaseUnavailableError: the claim or a failure could not be written.
        """
        try:
            return await self._deliver()
        except asyncio.CancelledError:
            if self.stopping and not self.past_dot:
                await self._release_claim()
            raise

    async def _deliver(self) -> AttemptOutcome:
        claimed, content = await self._claim()
        if claimed is None:
            return await self._report_overtaken()
        if content is None:
            return await self._give_up_without_mail()
        async with self._settings.presence.hold(self._database) as self._backend:
            try:
                answer = await self._send(claimed, content)
            except _OvertakenError:
                return await self._report_overtaken()
            except UpstreamError as error:
                return await self._keep_failure(claimed, error)
            await self._settings.arrivals.write(
                self._delivery.id, lambda: self._write_arrival(answer)
            )
            await self._count_arrival(claimed.digest_id)
        return AttemptOutcome(sent=True)

    async def _claim(self) -> tuple[ClaimedDelivery | None, bytes | None]:
        """Claim the delivery; return None if it is final or another attempt holds it.

        Wait in two cases. A database outage before the dot leaves a claim that expires within
        seconds. An arrival of this process may be about to be written.
        """
        give_up_at = time.monotonic() + delivery_claims.CLAIM_SECONDS + 1
        while True:
            if self._delivery.id not in self._settings.arrivals:
                async with self._database.transaction() as session:
                    now = self._clock()
                    claimed = await delivery_claims.claim_delivery(
                        session, self._delivery.id, self._token, now=now, retry_at=now + _RESULT_IN
                    )
                    if claimed is not None:
                        return claimed, await digests.get_mime(session, claimed.digest_id)
                    if not await delivery_claims.is_claimed_briefly(session, self._delivery.id):
                        return None, None
            if time.monotonic() >= give_up_at:
                return None, None
            await asyncio.sleep(1)

    async def before_data(self) -> None:
        """Commit a prolonged claim that covers the wait for the reply; the final dot may follow."""
        if not self._run.lease.held:
            raise LeaseLostError
        async with self._database.transaction() as session:
            if not await delivery_claims.announce_dot(
                session, self._delivery.id, self._token, backend=self._backend
            ):
                raise _OvertakenError

    def before_dot(self) -> None:
        """Check the lease without a round trip.

        Even if the process was frozen, no other process owns the run.
        """
        if not self._run.lease.held:
            log.warning("mail.lease_lost_before_dot", delivery=self._delivery.id)
            raise LeaseLostError
        self.past_dot = True

    async def _send(self, claimed: ClaimedDelivery, content: bytes) -> str:
        recipient = self._delivery.recipient
        addressed = mime.add_recipient(content, recipient=recipient, message_id=claimed.message_id)
        return await self._settings.client.send(
            addressed, sender=self._settings.sender, recipient=recipient, fence=self
        )

    async def _release_claim(self) -> None:
        """Release the claim when the service stops before the dot.

        The next process then need not wait until the claim expires.
        """
        try:
            async with self._database.transaction() as session:
                await delivery_claims.release_claim(session, self._delivery.id, self._token)
        except DatabaseUnavailableError as error:
            log.warning("mail.claim_not_released", delivery=self._delivery.id, error=error.message)

    async def _write_arrival(self, answer: str) -> None:
        async with self._database.transaction() as session:
            written = await delivery_claims.mark_sent(
                session, self._delivery.id, answer=answer, now=self._clock()
            )
        if not written:
            log.warning("mail.arrived_twice", delivery=self._delivery.id)

    async def _count_arrival(self, digest_id: int) -> None:
        """Update the run's figures before other sessions can see the arrival.

        The figures are then correct even if the run stops at any point.
        """
        by_call = self._run.params.day is not None
        async with self._database.transaction() as session:
            await digests.mark_first_sent(
                session, digest_id, now=self._clock(), run_id=self._run.id if by_call else None
            )
            self._run.progress.figures = await read_figures(session, self._run)

    async def _keep_failure(self, claimed: ClaimedDelivery, error: UpstreamError) -> AttemptOutcome:
        refused, now = isinstance(error, MailRefusedError), self._clock()
        final = (
            is_final_refusal(claimed.refusals + 1)
            if refused
            else has_expired(claimed.first_tried_at, now, claimed.tries)
        )
        log.warning(
            "mail.unsent",
            delivery=claimed.id,
            tries=claimed.tries,
            error=type(error).__name__,
            final=final,
        )
        async with self._database.transaction() as session:
            written = await delivery_claims.mark_unsent(
                session,
                claimed.id,
                self._token,
                answer=error.message,
                refused=refused,
                final=final,
                next_try_at=None if refused else now + find_pause(claimed.tries),
            )
        if not written:
            return await self._report_overtaken()
        kept = (
            " Письмо сохранено, повторим сами."
            if isinstance(error, MailAccessError) and not final
            else ""
        )
        return self._report_failure(error.message + kept)

    async def _give_up_without_mail(self) -> AttemptOutcome:
        """Fail the delivery for good: the bytes of the mail are gone."""
        reason = (
            "текст письма не сохранился, отправить его нельзя; вызовите отправку с resend, и оно"
            " составится заново."
        )
        log.error("mail.bytes_missing", delivery=self._delivery.id)
        async with self._database.transaction() as session:
            await delivery_claims.mark_unsent(
                session,
                self._delivery.id,
                self._token,
                answer=reason,
                refused=False,
                final=True,
                next_try_at=None,
            )
        return self._report_failure(reason)

    async def _report_overtaken(self) -> AttemptOutcome:
        log.info("mail.overtaken", delivery=self._delivery.id)
        async with self._database.session() as session:
            still_open = await delivery_claims.is_open(session, self._delivery.id)
        return self._report_under_way() if still_open else AttemptOutcome()

    def _report_under_way(self) -> AttemptOutcome:
        return self._report_failure(
            "его отправляет другой запуск, и ответ почтового сервера ещё не записан; если не"
            " придёт, повторим сами.",
            "пока не дошло",
        )

    def _report_failure(self, reason: str, what: str = "не дошло") -> AttemptOutcome:
        return AttemptOutcome(
            failure=(
                f"Письмо за {self._delivery.day:%d.%m} {what} до {self._delivery.recipient}:"
                f" {reason}"
            )
        )


async def read_figures(session: AsyncSession, run: RunContext[MailParams]) -> dict[str, Any]:
    """Return the run's figures from the tables.

    They are correct even if several processes executed the run.
    """
    day = run.params.day
    return {
        "date": day.isoformat() if day else None,
        "send_reports": await digests.count_delivered(session, run.id),
    }
