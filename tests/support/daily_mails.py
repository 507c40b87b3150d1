"""The mails of a day: the reports before them, and what each recipient received."""

from email import message_from_bytes, policy
from email.message import EmailMessage

from app.sandbox.smtp import ReceivedMail
from tests.support.stage import BAD_TALK, GOOD_TALK, Stage

BOSS, SECOND = "boss@example.ru", "second@example.ru"


def parse_mail(mail: ReceivedMail) -> EmailMessage:
    message = message_from_bytes(mail.data, policy=policy.default)
    assert isinstance(message, EmailMessage)
    return message


def read_text(mail: ReceivedMail) -> str:
    body = parse_mail(mail).get_body(("plain",))
    assert body is not None
    return str(body.get_content())


def list_mails(stage: Stage, recipient: str) -> list[ReceivedMail]:
    return [mail for mail in stage.sandbox.smtp.messages if mail.recipients == [recipient]]


async def grade_day(stage: Stage) -> None:
    stage.add_talk(*GOOD_TALK)
    stage.add_talk(*BAD_TALK, title="Шкаф", client="Борис")
    stage.add_talk(("client", "Алло?"), title="Стол")
    await stage.sync()
    await stage.analyze()
