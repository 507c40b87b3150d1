"""Settings of Postgres and of the folder with the service's files."""

from pathlib import Path

from pydantic import BaseModel, Field, SecretStr


class DatabaseFields(BaseModel):
    """Where data is stored."""

    database_url: SecretStr | None = Field(
        None, description="адрес вида postgresql://имя:пароль@хост:5432/база"
    )
    """Address of Postgres or of a pooler, in the form of libpq. If it is not set, the service runs
    an embedded Postgres under DATA_DIR.
    """
    database_direct_url: SecretStr | None = Field(
        None, description="адрес той же базы без пулера: postgresql://имя:пароль@хост:5432/база"
    )
    """Address of the same database without the pooler. If DATABASE_URL is a pooler such as
    pgbouncer, migrations use this address. If it is not set, they use DATABASE_URL, which a pooler
    in transaction mode allows.
    """
    database_pool_size: int = Field(10, ge=1, le=100, description="целое число от 1 до 100")
    """Maximum number of connections to Postgres. A connection that has not been used for 60 seconds
    is closed. If the server allows fewer, calls wait for a free one.
    """
    data_dir: Path = Field(Path("var"), description="путь к папке")
    """Folder of the embedded Postgres and, if SMTP_HOST is not set, of the mails as .eml files."""
