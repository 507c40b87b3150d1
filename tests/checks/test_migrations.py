"""The migrations: up to the models, down to an empty schema, and up again.

Alembic's own command line executes them.
"""

import os
import shutil
import subprocess
import sys
from collections.abc import AsyncIterator
from pathlib import Path

import pytest_asyncio
from alembic import command
from alembic.config import Config
from sqlalchemy import Connection, text

from app.database.engine import Database
from app.database.migrate import migrate
from app.models import Base
from tests.support.checkout import CHECKOUT

# Everything that a migration can get wrong. ConnectionSlots of columns are left out: new ones come
# last, wherever the model has them.
_SCHEMA = """
SELECT 'column', c.relname, a.attname,
       concat_ws(' ', format_type(a.atttypid, a.atttypmod), a.attnotnull, a.attidentity,
                 pg_get_expr(d.adbin, d.adrelid))
  FROM pg_attribute a JOIN pg_class c ON c.oid = a.attrelid
  LEFT JOIN pg_attrdef d ON (d.adrelid, d.adnum) = (a.attrelid, a.attnum)
 WHERE c.relkind = 'r' AND a.attnum > 0 AND NOT a.attisdropped
   AND c.relnamespace = 'public'::regnamespace
UNION ALL
SELECT 'constraint', conrelid::regclass::text, conname, pg_get_constraintdef(oid)
  FROM pg_constraint WHERE connamespace = 'public'::regnamespace
UNION ALL
SELECT 'index', tablename, indexname, indexdef FROM pg_indexes WHERE schemaname = 'public'
UNION ALL
SELECT 'other', relname, relkind::text, '' FROM pg_class
 WHERE relkind NOT IN ('r', 'i') AND relnamespace = 'public'::regnamespace
UNION ALL
SELECT 'routine', proname, '', pg_get_functiondef(oid) FROM pg_proc
 WHERE pronamespace = 'public'::regnamespace
UNION ALL
SELECT 'trigger', tgrelid::regclass::text, tgname, pg_get_triggerdef(oid)
  FROM pg_trigger WHERE NOT tgisinternal
UNION ALL
SELECT 'type', typname, '', '' FROM pg_type
 WHERE typtype IN ('e', 'd') AND typnamespace = 'public'::regnamespace
"""

Schema = set[tuple[str, ...]]


@pytest_asyncio.fixture
async def empty(postgres_url: str) -> AsyncIterator[Database]:
    database = Database(postgres_url)
    yield database
    await database.close()


async def test_migrated_schema_equals_the_models(empty: Database) -> None:
    await migrate(empty)
    migrated = await _schema(empty)
    await _downgrade(empty)
    async with empty.engine.begin() as connection:
        await connection.run_sync(Base.metadata.create_all)
    assert migrated == await _schema(empty)


async def test_up_down_up(empty: Database) -> None:
    await migrate(empty)
    first = await _schema(empty)
    assert first
    await _downgrade(empty)
    assert await _schema(empty) == set()
    await migrate(empty)
    assert await _schema(empty) == first


def test_alembic_check(postgres_url: str) -> None:
    """`alembic check` finds no difference between the models and the migrations."""
    environment = {**os.environ, "DATABASE_URL": postgres_url}
    for words in ("upgrade head", "check"):
        command_line = [sys.executable, "-m", "alembic", *words.split()]
        done = subprocess.run(  # noqa: S603 - our own program
            command_line, cwd=CHECKOUT, env=environment, capture_output=True, text=True, check=False
        )
        assert done.returncode == 0, (words, done.stdout, done.stderr)


def test_files_are_numbered_without_gaps() -> None:
    names = sorted(path.name for path in (CHECKOUT / "migrations" / "versions").glob("*.py"))
    assert [name[:5] for name in names] == [f"{n:04d}_" for n in range(1, len(names) + 1)]


def test_new_revision_is_named_like_the_others(postgres_url: str, tmp_path: Path) -> None:
    """`alembic revision` uses the number after the newest one."""
    for part in ("migrations", "app"):
        shutil.copytree(
            CHECKOUT / part, tmp_path / part, ignore=shutil.ignore_patterns("__pycache__")
        )
    shutil.copy(CHECKOUT / "alembic.ini", tmp_path)
    versions = tmp_path / "migrations" / "versions"
    newest = max(path.name for path in versions.glob("*.py"))
    environment = {**os.environ, "DATABASE_URL": postgres_url}
    done = subprocess.run(
        [sys.executable, "-m", "alembic", "revision", "-m", "Add a column"],
        cwd=tmp_path,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    number = f"{int(newest[:4]) + 1:04d}"
    written = (versions / f"{number}_add_a_column.py").read_text(encoding="utf-8")
    assert f'revision: str = "{number}"' in written
    assert f'down_revision: str | Sequence[str] | None = "{newest[:4]}"' in written


async def _schema(database: Database) -> Schema:
    """Return everything in the schema except Alembic's own table."""
    async with database.session() as session:
        rows = {tuple(map(str, row)) for row in await session.execute(text(_SCHEMA))}
    return {row for row in rows if "alembic_version" not in row[1]}


async def _downgrade(database: Database) -> None:
    def downgrade(connection: Connection) -> None:
        config = Config(CHECKOUT / "alembic.ini")
        config.attributes["connection"] = connection
        command.downgrade(config, "base")

    async with database.engine.begin() as connection:
        await connection.run_sync(downgrade)
