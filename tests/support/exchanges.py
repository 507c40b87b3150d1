"""Changes of the stored exchanges with the model."""

from sqlalchemy import select

from app.models import PackedExchange
from app.repositories.exchange_packing import pack_texts, unpack_texts
from tests.support.stage import Stage


async def replace_in_answers(stage: Stage, old: str, new: str) -> None:
    """Replace words in all stored answers."""
    async with stage.service.database.transaction() as session:
        for row in await session.scalars(select(PackedExchange)):
            texts = unpack_texts(row.content)
            row.content = pack_texts(texts._replace(answer=texts.answer.replace(old, new)))
