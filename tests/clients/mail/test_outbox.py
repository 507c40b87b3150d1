"""Mails as files, without a mail server."""

from email import message_from_bytes
from pathlib import Path

import pytest

from app.clients.mail import MailAccessError, OutboxFolder
from tests.support.smtp_client import Unfenced

MAIL = (
    "Message-ID: <digest-7.boss@example.ru>\r\nDate: Sun, 22 Nov 2026 20:00:05 +0300\r\nTo:"
    " boss@example.ru\r\n\r\nОтчёт\r\n".encode()
)


async def send_mail(folder: Path, mime: bytes = MAIL, recipient: str = "boss@example.ru") -> str:
    return await OutboxFolder(folder).send(
        mime, sender="reports@example.ru", recipient=recipient, fence=Unfenced()
    )


def list_files(folder: Path) -> list[Path]:
    return sorted(folder.iterdir())


async def test_each_mail_is_a_file_named_by_date_and_recipient(tmp_path: Path) -> None:
    folder = tmp_path / "var" / "outbox"
    answer = await send_mail(folder)
    await send_mail(folder, recipient="other@example.ru")
    first, second = list_files(folder)
    assert first.name.startswith("2026-11-22_20-00-05_boss@example.ru_")
    assert second.name.startswith("2026-11-22_20-00-05_other@example.ru_")
    assert first.suffix == ".eml"
    assert first.name in answer
    assert first.read_bytes() == MAIL


async def test_the_same_mail_again_is_the_same_file(tmp_path: Path) -> None:
    await send_mail(tmp_path)
    await send_mail(tmp_path)
    assert len(list_files(tmp_path)) == 1
    await send_mail(tmp_path, MAIL.replace(b"digest-7", b"digest-8"))
    assert len(list_files(tmp_path)) == 2


async def test_mails_are_readable_by_the_owner_only(tmp_path: Path) -> None:
    await send_mail(tmp_path / "outbox")
    (mail,) = list_files(tmp_path / "outbox")
    assert (mail.stat().st_mode & 0o077, mail.parent.stat().st_mode & 0o077) == (0, 0)


@pytest.mark.parametrize(
    "recipient",
    [
        "../../etc/passwd",
        "a/b@example.ru",
        "x" * 500 + "@example.ru",
        "a\0b",
        "начальник@пример.рф",
    ],
)
async def test_any_address_makes_a_name_inside_the_folder(tmp_path: Path, recipient: str) -> None:
    await send_mail(tmp_path / "outbox", recipient=recipient)
    assert [path.suffix for path in list_files(tmp_path / "outbox")] == [".eml"]
    assert [path.name for path in list_files(tmp_path)] == ["outbox"]


@pytest.mark.parametrize(
    "mime", [b"", b"no headers at all", b"Date: yesterday\r\n\r\nx", b"Subject: \xff\xfe\n\nx"]
)
async def test_mail_without_headers_is_written(tmp_path: Path, mime: bytes) -> None:
    await send_mail(tmp_path, mime)
    (mail,) = list_files(tmp_path)
    assert mail.read_bytes() == mime


async def test_a_folder_that_cannot_be_written_names_the_setting(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("not a folder")
    with pytest.raises(MailAccessError, match="DATA_DIR"):
        await send_mail(tmp_path / "file" / "outbox")
    with pytest.raises(MailAccessError, match="DATA_DIR"):
        await OutboxFolder(tmp_path / "file" / "outbox").check()


async def test_check_leaves_nothing_behind(tmp_path: Path) -> None:
    assert str(tmp_path) in await OutboxFolder(tmp_path / "outbox").check()
    assert list_files(tmp_path / "outbox") == []


async def test_written_file_is_a_mail(tmp_path: Path) -> None:
    await send_mail(tmp_path)
    (mail,) = list_files(tmp_path)
    assert message_from_bytes(mail.read_bytes())["To"] == "boss@example.ru"
