"""Stored exchanges with the model, in the form of the previous release."""

from sqlalchemy import insert, select

from app.models import ModelExchange, PackedExchange
from app.repositories.exchange_packing import unpack_texts
from tests.support.stage import Stage


async def unpack_exchanges(stage: Stage) -> None:
    """Replace the packed exchanges with the rows that the previous release stores."""
    async with stage.service.database.transaction() as session:
        packed = (await session.scalars(select(PackedExchange).order_by(PackedExchange.id))).all()
        for row in packed:
            texts = unpack_texts(row.content)
            columns = {
                name: getattr(row, name)
                for name in ("report_id", "chat_id", "run_id", "asked_at", "purpose")
            }
            window = texts.question["messages"]
            await session.execute(
                insert(ModelExchange).values(
                    **columns,
                    prompt_version=row.prompt_version,
                    first_message_id=window[0],
                    last_message_id=window[-1],
                    **texts._asdict(),
                )
            )
            await session.delete(row)
