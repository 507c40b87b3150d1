"""Format of the mail: supported HTML, size, hostile texts, and bytes of the transfer."""

import re
from collections import Counter
from datetime import date, timedelta
from email.message import EmailMessage
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from app.services.digests.figures import (
    MailedDay,
    Series,
)
from app.services.display_text import to_one_line
from app.services.mail.attachment import Attachment
from app.services.mail.mime import (
    add_recipient,
    build_mime,
    make_message_id,
    make_subject,
    render_html,
    render_page,
    render_text,
)
from app.services.mail.template_context import WaitingPage
from tests.support.mail_pages import (
    AVITO,
    BOSS,
    CROWD,
    EMPTY,
    END,
    RICH,
    SENDER,
    TROUBLE,
    both,
    changed,
    flat,
    parsed,
    tags,
    worded,
)


def test_html_uses_only_what_mail_clients_support() -> None:
    html = render_html(TROUBLE)
    assert html.startswith('<!DOCTYPE html>\n<html lang="ru">')
    assert '<meta name="color-scheme" content="light dark">' in html
    assert not re.search(r"<svg|<img|<script|<link|data:|url\(|@import|rgb", html, re.IGNORECASE)
    assert all(url.startswith(AVITO) for url in re.findall(r"\w+://[^\s\"'<]*", html))
    assert set(re.findall(r'([\w-]+)="[^"]*//', html)) == {"href"}
    opened = Counter(tag for tag in re.findall(r"<(\w+)", html) if tag not in {"meta", "br"})
    assert opened == Counter(re.findall(r"</(\w+)", html))


def test_preheader_adds_to_the_subject() -> None:
    rich = "С оценкой ниже 50: 9 из 74 отчётов. Дольше всех ждут ответа: 5 часов."
    expected_text = (rich, "Не всё получилось: Авито: тариф не оплачен.", "Новых отчётов нет.")
    for figures, line in zip((RICH, TROUBLE, EMPTY), expected_text, strict=True):
        assert re.search(f"<div style=.display:none[^>]*>{line}</div>", flat(render_html(figures)))


@pytest.mark.parametrize("letter", ["'", "<", "🙂", "ж", "aa.", "a@", "1"])
def test_size_is_bounded_for_any_texts(letter: str) -> None:
    long = letter * 5_000
    texts = dict.fromkeys(
        ("chat_title", "client_name", "quote", "advice", "criterion", "reason"), long
    )
    texts["chat_id"] = "u2i-0582e17b467~56c31ded9f0" * 2
    lists = {
        name: tuple(
            entry.model_copy(update={key: texts[key] for key in texts.keys() & dict(entry)})
            for entry in getattr(CROWD, name)
        )
        for name in ("worst", "best", "waiting_buyers", "failed_chats")
    }
    lists_of_texts = (
        "accounts",
        "dropped_accounts",
        "problems",
        "failed_addresses",
        "models",
        "prompt_versions",
        "cut_short_accounts",
    )
    many: dict[str, Any] = dict.fromkeys(lists_of_texts, (long,) * 50)
    days = tuple(date(2026, 1, 1) + timedelta(days=ahead) for ahead in range(300))
    many["series"] = (
        Series(model=long, prompt_version=long, reports=8_123, mean_score=50, bad_reports=8_123),
    ) * 50
    lists["worst"] = tuple(chat.model_copy(update={"addressed": True}) for chat in lists["worst"])
    course = tuple(
        MailedDay(day=day, reports=8_123, mean_score=100, new_series=True) for day in days[:14]
    )
    expected_text = {
        "covered_days": days,
        "days": course,
        "addressed_reports": 8_123,
        "unproven_reports": 8_123,
        "working_time": True,
    }
    expected_text |= {
        name: getattr(CROWD, name).model_copy(update={"same_hours": False})
        for name in ("day_before", "same_weekdays")
    }
    assert len(render_html(changed(CROWD, **lists, **many, **expected_text)).encode()) <= 60_000


def test_hostile_text_is_shown_and_inert() -> None:
    text = (
        '<script>1</script>"><img src=http://evil/x>{{ 7 * 7 }}</table>\r\nBcc:'
        " spy@evil\u202e\u2028\ud800\x00\x1b[31m"
    )
    figures = worded(text)
    assert not re.search(
        "[\u202e\u2028\ud800\x00\x1b\r]", render_html(figures) + render_text(figures)
    )
    assert all(
        '<script>1</script>"><img src=http: //evil/x>{{ 7 * 7 }}</table> Bcc: spy@ evil' in shown
        for shown in both(figures)
    )
    assert (
        parsed(build_mime(figures, sender=SENDER, now=END)).keys()
        == parsed(build_mime(RICH, sender=SENDER, now=END)).keys()
    )


@pytest.mark.parametrize(
    "add_recipient",
    [
        "avito-bonus.ru/login",
        "evil.space/pay",
        "http://1.2.3.4",
        "ivan@evil.zip",
        "evil\u200b.\u2060click",
        "tel:+79161234567",
    ],
)
def test_addresses_in_untrusted_text_are_no_links(add_recipient: str) -> None:
    """The subject contains no untrusted text. The page of the date is the HTML part."""
    entry = dict.fromkeys(
        ("chat_title", "client_name", "quote", "advice", "reason", "criterion"), add_recipient
    )
    lists = {
        name: tuple(
            one.model_copy(update={key: entry[key] for key in entry.keys() & dict(one)})
            for one in getattr(CROWD, name)
        )
        for name in ("worst", "best", "waiting_buyers", "failed_chats")
    }
    told = changed(
        CROWD,
        **lists,
        accounts=(add_recipient,),
        problems=(add_recipient,),
        models=(add_recipient,),
    )
    assert make_subject(told) == make_subject(changed(CROWD, problems=told.problems))
    bare = to_one_line(add_recipient)
    for part in (render_html(told), render_text(told), render_page(told, [], WaitingPage(1, 1))):
        assert bare not in part
        assert len(re.findall("\u200a|\u200c", part)) > 20
        assert set(re.findall(r"\w+://[^\s\"'<]*?channel/", part)) == {AVITO}


@given(st.text(max_size=400))
@settings(max_examples=40, deadline=None)
def test_no_text_changes_the_structure_of_either_part(text: str) -> None:
    plain, strange = worded("Текст"), worded(f"Ж{text}")
    assert tags(render_html(strange)) == tags(render_html(plain))
    assert len(render_text(strange).splitlines()) == len(render_text(plain).splitlines())


def test_texts_are_truncated_and_unnamed_chats_have_a_link_text() -> None:
    for shown in both(worded("т" * 301)):
        assert re.search(" т{63}….*«т{159}…».*Совет к сообщению 22.11 17:00: т{219}…", shown)
    for shown in both(worded("\u200b \x00")):
        assert "Чат без объявления" in shown
        assert "Клиент · Склад · ждёт" in shown


def test_stored_mail_has_two_parts_and_no_recipient() -> None:
    mail = parsed(build_mime(RICH, sender=SENDER, now=END))
    assert mail["Subject"] == make_subject(RICH)
    assert mail["From"].addresses[0].addr_spec == mail["Reply-To"].addresses[0].addr_spec == SENDER
    assert mail["Date"] == "Sun, 22 Nov 2026 20:00:00 +0300"
    assert mail["Auto-Submitted"] == "auto-generated"
    assert set(mail) == {
        "Subject",
        "From",
        "Reply-To",
        "Date",
        "Auto-Submitted",
        "MIME-Version",
        "Content-Type",
    }
    assert mail.get_content_type() == "multipart/alternative"
    parts = [
        (part.get_content_type(), part["Content-Transfer-Encoding"], part.get_content_charset())
        for part in mail.iter_parts()
    ]
    assert parts == [("text/plain", "base64", "utf-8"), ("text/html", "base64", "utf-8")]
    texts = [
        part.get_content().splitlines()
        for part in mail.iter_parts()
        if isinstance(part, EmailMessage)
    ]
    assert texts == [render_text(RICH).splitlines(), render_html(RICH).splitlines()]


def test_attachment_is_sent_with_the_two_parts() -> None:
    sheet = Attachment(bytes(range(256)) * 40, "avito-chats-2026-11-22.xlsx")
    mail = parsed(build_mime(RICH, sender=SENDER, now=END, attachment=sheet))
    assert mail.get_content_type() == "multipart/mixed"
    texts, attached = (part for part in mail.iter_parts() if isinstance(part, EmailMessage))
    assert [part.get_content_type() for part in texts.iter_parts()] == ["text/plain", "text/html"]
    assert (attached.get_filename(), attached.get_content_disposition()) == (
        sheet.filename,
        "attachment",
    )
    assert (
        attached.get_content_type()
        == "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
    )
    assert attached.get_content() == sheet.content
    assert build_mime(RICH, sender=SENDER, now=END, attachment=sheet) == build_mime(
        RICH, sender=SENDER, now=END, attachment=sheet
    )


def test_stored_mail_is_valid_for_smtp() -> None:
    mime = build_mime(
        CROWD, sender=SENDER, now=END, attachment=Attachment(bytes(range(256)) * 40, "sheet.xlsx")
    )
    assert mime.isascii()
    assert mime.count(b"\n") == mime.count(b"\r\n") == mime.count(b"\r")
    assert (
        max(len(line) for line in mime.split(b"\r\n")) <= 79
    )  # the sheet's content type has no place to fold at


def test_sender_has_a_name_and_an_ascii_domain() -> None:
    for sender, name, spec in (
        (SENDER, "Авито-чаты", SENDER),
        (f"Отчёты <{SENDER}>", "Отчёты", SENDER),
        ("reports@пример.рф", "Авито-чаты", "reports@xn--e1afmkfd.xn--p1ai"),
    ):
        origin = parsed(build_mime(RICH, sender=sender, now=END))["From"].addresses[0]
        assert (origin.display_name, origin.addr_spec) == (name, spec)
        assert make_message_id(7, BOSS, sender, END).endswith(f"@{origin.domain}>")


def test_recipient_headers_precede_the_stored_bytes() -> None:
    mime, identity = build_mime(RICH, sender=SENDER, now=END), make_message_id(7, BOSS, SENDER, END)
    addressed = add_recipient(mime, recipient=BOSS, message_id=identity)
    assert addressed == f"To: {BOSS}\r\nMessage-ID: {identity}\r\n".encode() + mime
    assert addressed == add_recipient(mime, recipient=BOSS, message_id=identity)
    mail = parsed(addressed)
    assert (mail["To"], mail["Message-ID"], mail["Subject"]) == (BOSS, identity, make_subject(RICH))
    spy = f"{BOSS}\r\nBcc: spy@evil.example"
    assert "Bcc" not in parsed(add_recipient(mime, recipient=BOSS, message_id=identity + spy))
    with pytest.raises(ValueError, match="dot-atom"):
        add_recipient(mime, recipient=spy, message_id=identity)
    with pytest.raises(ValueError, match="dot-atom"):
        build_mime(RICH, sender=spy, now=END)


def test_international_domain_is_ascii_in_the_header() -> None:
    """A Cyrillic local part is UTF-8 (RFC 6532). Only servers with SMTPUTF8 receive it."""
    for recipient, header in (
        ("boss@пример.рф", "boss@xn--e1afmkfd.xn--p1ai"),
        ("шеф@пример.рф", "шеф@xn--e1afmkfd.xn--p1ai"),
    ):
        assert add_recipient(b"", recipient=recipient, message_id="<1@b>").startswith(
            f"To: {header}\r\n".encode()
        )


def test_cyrillic_sender_is_unchanged_in_the_header() -> None:
    mime = build_mime(RICH, sender="отчёты@пример.рф", now=END)
    assert "<отчёты@xn--e1afmkfd.xn--p1ai>".encode() in mime


def test_message_id_is_stable_unique_and_without_personal_data() -> None:
    identity = make_message_id(7, BOSS, SENDER, END)
    assert identity == make_message_id(7, BOSS, SENDER, END)
    assert re.fullmatch(r"<digest-7\.[0-9a-f]{32}@example\.ru>", identity)
    assert (
        len(
            {
                make_message_id(digest, who, SENDER, now)
                for digest in (7, 8)
                for who in (BOSS, "chief@example.ru")
                for now in (END, END - timedelta(days=1))
            }
        )
        == 8
    )
