"""What the figures of a period count of one report, in a few typed columns."""

from datetime import datetime
from decimal import Decimal
from enum import IntFlag

from sqlalchemy import DDL, ForeignKey, Index, Integer, Numeric, SmallInteger, event, text
from sqlalchemy.orm import Mapped, mapped_column

from app.models.base import Base


class Mark(IntFlag):
    """What is true of a report. Stored as a bit set."""

    ADDRESSED = 1
    """The chat addresses the grader."""
    UNPROVEN = 2
    """A high or low grade has no verified quote."""
    CRITICAL = 4
    CONTRADICTING = 8
    CONTACT_KNOWN = 16
    """A contact or a meeting was looked for. Reports of early releases lack it."""
    CONTACT = 32
    BOTS_KNOWN = 64
    """The report contains who was the first to answer."""
    BOT_FIRST = 128


class ReportFigures(Base):
    """The figures of one report of the kind ``grading``.

    A trigger writes the row together with the report, whichever release writes it. A year is read
    from here without the bodies and details of its reports, which are fifty times larger.
    """

    __tablename__ = "report_figures"
    __table_args__ = (
        Index(
            "ix_report_figures_repeated",
            "created_at",
            postgresql_where=text("repeated IS NOT NULL"),
        ),
    )

    report_id: Mapped[int] = mapped_column(
        ForeignKey("reports.id", ondelete="CASCADE"), primary_key=True, autoincrement=False
    )
    created_at: Mapped[datetime] = mapped_column(index=True)
    chat_id: Mapped[int]
    account_id: Mapped[int]
    first_client_at: Mapped[datetime | None]
    """The time of the buyer's first message in the graded messages.

    None: the report is of an early release, and the message is not stored.
    """
    first_answer_seconds: Mapped[int | None] = mapped_column(Integer)
    """Working time until the company's first answer; None without one."""
    marks: Mapped[int] = mapped_column(SmallInteger)
    """A set of :class:`Mark`."""
    grades: Mapped[int] = mapped_column(SmallInteger)
    """Two bits for each criterion, the first one lowest: none, low, medium, high."""
    score: Mapped[Decimal] = mapped_column(Numeric(5, 2))
    cost_usd: Mapped[Decimal | None] = mapped_column(Numeric(12, 8))
    model: Mapped[str]
    prompt_version: Mapped[str]
    repeated: Mapped[list[str] | None]
    """What was answered twice: ``criteria/`` with a criterion, ``checks/`` with the id of a check.

    None: the chat was graded once.
    """
    flipped: Mapped[list[str] | None]
    """Those of ``repeated`` whose two answers differ."""


_FUNCTION = """
    CREATE FUNCTION write_report_figures() RETURNS trigger LANGUAGE plpgsql AS $$
    BEGIN
    IF TG_OP = 'UPDATE' THEN
        DELETE FROM report_figures WHERE report_id = NEW.id;
    END IF;
    INSERT INTO report_figures
    SELECT NEW.id, NEW.created_at, NEW.chat_id, NEW.account_id,
           coalesce(NEW.first_client_at, (
               SELECT asked.sent_at FROM messages AS asked
               JOIN messages AS first ON first.id = NEW.first_message_id
               WHERE asked.chat_id = NEW.chat_id AND asked.side = 'client'
                 AND asked.sent_at >= first.sent_at
               ORDER BY asked.sent_at LIMIT 1)),
           CAST(part.answer_times->>'first_answer_seconds' AS integer),
           CASE WHEN part.flags ? 'addresses_grader' THEN 1 ELSE 0 END
           + CASE WHEN part.flags ? 'no_evidence' THEN 2 ELSE 0 END
           + CASE WHEN part.flags ? 'critical' THEN 4 ELSE 0 END
           + CASE WHEN part.flags ? 'contradiction' THEN 8 ELSE 0 END
           + CASE WHEN part.contact IS NOT NULL THEN 16 ELSE 0 END
           + CASE WHEN jsonb_typeof(part.contact) = 'object' THEN 32 ELSE 0 END
           + CASE WHEN part.bot_first IS NOT NULL THEN 64 ELSE 0 END
           + CASE WHEN part.bot_first = 'true' THEN 128 ELSE 0 END,
           coalesce(array_position(grade.ranks, NEW.tonality_grade), 0)
           + 4 * coalesce(array_position(grade.ranks, NEW.professionalism_grade), 0)
           + 16 * coalesce(array_position(grade.ranks, NEW.clarity_grade), 0)
           + 64 * coalesce(array_position(grade.ranks, NEW.problem_solving_grade), 0)
           + 256 * coalesce(array_position(grade.ranks, NEW.objection_handling_grade), 0)
           + 1024 * coalesce(array_position(grade.ranks, NEW.closure_grade), 0),
           NEW.score, NEW.cost_usd, NEW.model, NEW.prompt_version,
           repeated.names, repeated.flipped
    FROM (SELECT NEW.detail->'flags', NEW.detail->'answer_times',
                  NEW.detail->'contact', NEW.detail->'bot_first'
          OFFSET 0) AS part(flags, answer_times, contact, bot_first),
         (SELECT CAST(ARRAY['Низкая', 'Средняя', 'Высокая'] AS text[])) AS grade(ranks),
         LATERAL (
             SELECT array_agg(kind.key || '/' || pair.key ORDER BY kind.key, pair.key),
                    array_agg(kind.key || '/' || pair.key)
                        FILTER (WHERE pair.value->>0 <> pair.value->>1)
             FROM jsonb_each(NEW.repeat) AS kind, jsonb_each(kind.value) AS pair
             WHERE kind.key IN ('criteria', 'checks')) AS repeated(names, flipped)
    WHERE NEW.kind = 'grading';
    RETURN NULL;
    END $$
"""
_TRIGGER = """
    CREATE TRIGGER write_report_figures
    AFTER INSERT OR UPDATE OF kind, chat_id, account_id, created_at, tonality_grade,
        professionalism_grade, clarity_grade, problem_solving_grade, objection_handling_grade,
        closure_grade, score, detail, first_client_at, first_message_id, model, prompt_version,
        cost_usd, repeat
    ON reports FOR EACH ROW EXECUTE FUNCTION write_report_figures()
"""
for _statement in (_FUNCTION, _TRIGGER):
    _ddl = DDL(_statement)  # type: ignore[no-untyped-call]
    event.listen(ReportFigures.__table__, "after_create", _ddl)
