"""Claim the due chats of a run in small batches, until none is left."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import replace
from typing import Any

from app.clock import Clock, Deadline
from app.database.engine import Database
from app.domain.outcomes import Cause, OutcomeCode
from app.domain.settling import SettlingRule
from app.repositories import due_chats, listings, messages
from app.repositories.grading_scope import Scope
from app.services.analysis.grading_pool import READ_AHEAD, GradingPool
from app.services.analysis.part import LOOK_SECONDS, GradingPart
from app.services.analysis.transcript import Transcript, build_transcript
from app.services.run_params import AnalyzeParams
from app.services.runs import RunContext


class ClaimedChats:
    """The chats of one run that this process claims, in the order in which they are due.

    The holder of the run also waits for the chats that helpers have claimed, and claims those of a
    helper that has died. A helper ends when it finds no chat.
    """

    def __init__(
        self,
        database: Database,
        clock: Clock,
        run: RunContext[AnalyzeParams],
        settling: SettlingRule,
        part: GradingPart,
        *,
        batch: int,
    ) -> None:
        """``batch``: chats claimed at a time; other processes can claim the rest."""
        self._database = database
        self._clock = clock
        self._run = run
        self._settling_rule = settling
        self._part = part
        self._batch = min(batch, READ_AHEAD)
        self._scope = Scope(
            written_since=run.params.written_since,
            chat_ids=run.params.chat_ids,
            force=run.params.force,
            done_since=run.done_since,
        )
        self.scope = self._scope
        """The scope of the last claim, without the chats that were settling then."""

    def find_claimable(self) -> Scope:
        """Return the scope without the chats that are settling now."""
        span = self._settling_rule.find_span(self._clock())
        self.scope = replace(self._scope, settling=span)
        return self.scope

    async def list_all(self, pool: GradingPool[Any]) -> AsyncIterator[Transcript]:
        """Claim chats and yield them; stop the pool when the run's deadline has passed."""
        params, now = self._run.params, self._clock()
        limit, ends_at = params.limit, params.deadline
        deadline = Deadline(ends_at - now, since=now, clock=self._clock) if ends_at else None
        claimed = 0
        while limit is None or claimed < limit:
            if self._part.is_helper and self._run.stopping.is_set():
                return  # the run may have ended
            if deadline is not None and deadline.passed:
                pool.stop(Cause(OutcomeCode.DEADLINE_PASSED))
                return
            most = self._batch if limit is None else min(limit - claimed, self._batch)
            batch = await self._claim_batch(most)
            if not batch and not self._part.is_helper:
                batch = await self._claim_after_helpers(pool, most)
            if not batch:
                return
            claimed += len(batch)
            for transcript in batch:
                yield transcript

    async def _claim_after_helpers(self, pool: GradingPool[Any], most: int) -> list[Transcript]:
        """Wait while helpers grade the last chats; return what a dead one has left."""
        await self._part.close()
        while pool.stopped_by is None and not self._run.stopping.is_set():
            is_helped = await self._part.has_helpers()
            # After the look: a helper that has ended leaves no claims.
            batch = await self._claim_batch(most)
            if batch or not is_helped:
                return batch
            await asyncio.sleep(LOOK_SECONDS)
        return []

    async def _claim_batch(self, most: int) -> list[Transcript]:
        async with self._database.transaction() as session:
            claimed = await due_chats.claim_due(
                session, self.find_claimable(), self._run.id, self._run.token, limit=most
            )
        if not claimed:
            return []
        async with self._database.session() as session:
            ids = [chat.id for chat in claimed]
            stored = await messages.list_words(session, ids)
            snapshots = await listings.list_snapshots(session, ids)
        return [build_transcript(chat, stored[chat.id], snapshots.get(chat.id)) for chat in claimed]
