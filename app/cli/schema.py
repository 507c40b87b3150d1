"""``migrate``: update the database schema."""

from app.adapters import open_database, open_direct_database
from app.cli.console import Mark, print_marked
from app.cli.process import ExitCode
from app.config import Settings
from app.database.migrate import get_current_revision, migrate


async def migrate_schema(settings: Settings) -> int:
    """Run the migrations and print the revisions before and after."""
    async with (
        open_database(settings, migrated=False) as database,
        open_direct_database(settings) as direct,
    ):
        before = await get_current_revision(database)
        await migrate(direct or database)
        after = await get_current_revision(database)
    if before == after:
        print_marked(Mark.GOOD, f"Схема базы уже свежая: {after}.")
    else:
        print_marked(Mark.GOOD, f"Схема базы обновлена: {before or 'таблиц не было'} → {after}.")
    return ExitCode.DONE
