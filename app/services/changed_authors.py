"""Reports of which a message has turned out to be a bot's, or a person's, since the grading."""

from collections.abc import Collection

from sqlalchemy.ext.asyncio import AsyncSession

from app.repositories import messages, model_exchanges


async def list_with_changed_authors(session: AsyncSession, report_ids: Collection[int]) -> set[int]:
    """Return those of these reports of which the model saw another author than is known now.

    A report of a version that stored no questions is not among them.
    """
    questions = await model_exchanges.list_questions(session, report_ids)
    shown = {number for question in questions.values() for number in question["messages"]}
    bots = await messages.list_bots(session, shown)
    return {
        report_id
        for report_id, question in questions.items()
        if bots.intersection(question["messages"]) != set(question.get("bots", ()))
    }
