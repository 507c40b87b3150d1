"""Settings of the HTTP server, its logs and its certificates."""

from typing import Annotated, Literal

from pydantic import BaseModel, Field

from app.config.setting_types import UPPER_CASE, CertificateFile, ProxyAddresses, RootPath
from app.log import LogFormat


class ServerFields(BaseModel):
    """How the process serves HTTP, logs and trusts certificates."""

    docs_enabled: bool = Field(True, description="true или false")
    """Whether /docs and /openapi.json are served."""
    log_level: Annotated[Literal["DEBUG", "INFO", "WARNING", "ERROR"], UPPER_CASE] = Field(
        "INFO", description="DEBUG, INFO, WARNING или ERROR"
    )
    """Least level of log lines."""
    log_format: LogFormat = Field("console", description="console или json")
    """Form of log lines: console for people, json for a log collector."""
    host: str = Field("127.0.0.1", min_length=1, description="адрес, на котором слушать")
    """Address on which the service listens. 0.0.0.0: every address of the machine."""
    port: int = Field(8000, ge=1, le=65535, description="номер порта от 1 до 65535")
    """Port on which the service listens."""
    web_concurrency: int = Field(1, ge=1, le=64, description="целое число от 1 до 64")
    """Processes of `serve` that share the port and the work, for several processor cores. Each has
    DATABASE_POOL_SIZE connections; the limits of Avito and DeepSeek hold for all of them together.
    """
    root_path: RootPath | None = Field(
        None,
        description=(
            "путь вида /quality из латинских букв, цифр, - и _, с которого не начинаются адреса"
            " самой службы"
        ),
    )
    """Path under which a reverse proxy serves the service, for example /quality. The proxy may
    remove it from requests or not.
    """
    forwarded_allow_ips: ProxyAddresses = Field(
        "127.0.0.1", description="адреса и сети прокси через запятую, или *"
    )
    """Addresses and networks of the reverse proxies, comma-separated. X-Forwarded-For and
    X-Forwarded-Proto are read from them only. `*`: from everyone, so that any client can pretend to
    have any address.
    """
    ca_file: CertificateFile | None = Field(
        None, description="путь к файлу с сертификатами в PEM, который служба может прочесть"
    )
    """File with certificates (PEM) that are trusted besides the system's: for Avito, the model's
    server, the mail server and Postgres.
    """
