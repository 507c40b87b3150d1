"""The workbook in which people grade chats by hand: what to fill in, what was written, by which
rubric. No word of the machine's.
"""

import io
import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any
from zoneinfo import ZoneInfo

import xlsxwriter
from xlsxwriter.format import Format
from xlsxwriter.worksheet import Worksheet

from app.domain.criteria import Check, Criterion
from app.domain.grades import GRADE_CODES, Grade
from app.domain.messages import ChatMessage, Side
from app.domain.visible_text import keep_visible
from app.grading.rubric import Rubric

GRADES_SHEET, TALKS_SHEET, RUBRIC_SHEET = "Оценки", "Переписка", "Критерии"
NUMBER, REPORT, MESSAGES, TALK, COMMENT, RATER = (
    "№",
    "Отчёт",
    "Сообщений",
    "Переписка",
    "Комментарий",
    "Эксперт",
)
NO_OPINION = "Не могу оценить"
"""Says that a person has looked and leaves the grade open; an empty cell may only have been
forgotten.
"""

_SIDES = {Side.CLIENT: "Клиент", Side.COMPANY: "Компания"}
_LEVELS = (Grade.HIGH, Grade.MEDIUM, Grade.LOW)
_ANSWERS = {Check.YES: "да", Check.NO: "нет", Check.NOT_APPLICABLE: "не применимо"}
_CELL_LIMIT = 32_000
"""Characters; Excel takes 32,767 and xlsxwriter drops a longer text without a word."""
_TALK_WIDTH, _RUBRIC_WIDTH = 110, 130
_LINE_POINTS, _TALLEST_ROW = 15, 409
_GUIDE = (
    (
        "Оцените каждый чат листа «Оценки» по его переписке на листе «Переписка» и по этим"
        " критериям. Оценок модели в файле нет: они не должны на вас влиять."
    ),
    (
        "Оценивается только компания. Сначала ответьте себе на три проверки критерия: ни одного"
        f" «нет» — {Grade.HIGH}, одно — {Grade.MEDIUM}, два и больше — {Grade.LOW}; «не применимо»"
        " не считается."
    ),
    (
        f"Оценку выбирайте из списка в ячейке. Не можете решить — «{NO_OPINION}»; пустая ячейка"
        " значит, что до неё не дошли."
    ),
    (
        f"В столбце «{RATER}» — ваше имя; если файл заполняете вы один, достаточно в одной строке."
        " Второй эксперт берёт свой файл или добавляет строки с тем же номером отчёта и своим"
        " именем."
    ),
)


@dataclass(frozen=True)
class SheetChat:
    """A chat to be graded: the report's number, the listing, and the very messages that the report
    has graded.
    """

    report_id: int
    title: str
    messages: Sequence[ChatMessage]


def choices(criterion: Criterion) -> list[str]:
    """What may stand in a cell of the criterion."""
    absent = [Grade.NONE.value] if criterion is Criterion.OBJECTION_HANDLING else []
    return [*(grade.value for grade in _LEVELS), *absent, NO_OPINION]


def write_label_sheet(talks: Sequence[SheetChat], rubric: Rubric, zone: ZoneInfo) -> bytes:
    """An .xlsx of three sheets, the chats in the given order; times are those of the zone.

    The sheet that is filled in holds nothing of the chats, so that it may be saved as CSV and
    opened anywhere: what people wrote there could be taken for formulas.
    """
    target = io.BytesIO()
    book = xlsxwriter.Workbook(
        target, {"in_memory": True, "strings_to_formulas": False, "strings_to_urls": False}
    )
    styles = {
        "head": book.add_format(
            {
                "bold": True,
                "bg_color": "#E8EAED",
                "text_wrap": True,
                "valign": "vcenter",
                "border": 1,
            }
        ),
        "text": book.add_format({"text_wrap": True, "valign": "top", "quote_prefix": True}),
        "link": book.add_format({"font_color": "#1155CC", "underline": 1, "valign": "top"}),
    }
    sheets = [book.add_worksheet(name) for name in (GRADES_SHEET, TALKS_SHEET, RUBRIC_SHEET)]
    for sheet in sheets:
        sheet.set_landscape()
        sheet.fit_to_pages(1, 0)
    first_rows = _write_talks(sheets[1], talks, zone, styles)
    _write_grades(sheets[0], talks, first_rows, styles)
    _write_rubric(sheets[2], rubric, styles)
    book.close()
    return target.getvalue()


def _write_grades(
    sheet: Worksheet,
    talks: Sequence[SheetChat],
    first_rows: Sequence[int],
    styles: dict[str, Format],
) -> None:
    columns = [
        NUMBER,
        REPORT,
        MESSAGES,
        TALK,
        *(criterion.label for criterion in Criterion),
        COMMENT,
        RATER,
    ]
    sheet.write_row(0, 0, columns, styles["head"])
    sheet.freeze_panes(1, 4)
    sheet.set_column(0, 2, 11)
    sheet.set_column(3, 3, 12)
    sheet.set_column(4, 9, 18)
    sheet.set_column(10, 10, 40)
    sheet.set_column(11, 11, 18)
    for row, (talk, first_row) in enumerate(zip(talks, first_rows, strict=True), start=1):
        sheet.write_row(row, 0, [row, talk.report_id, len(talk.messages)])
        sheet.write_url(
            row, 3, f"internal:'{TALKS_SHEET}'!A{first_row + 1}", styles["link"], "Читать"
        )
    for column, criterion in enumerate(Criterion, start=4):
        wrong = {"error_title": "Такой оценки нет", "error_message": "Выберите оценку из списка."}
        sheet.data_validation(
            1,
            column,
            max(len(talks), 1),
            column,
            {"validate": "list", "source": choices(criterion), **wrong},
        )


def _write_talks(
    sheet: Worksheet, talks: Sequence[SheetChat], zone: ZoneInfo, styles: dict[str, Format]
) -> list[int]:
    """Writes the chats one below another; returns the row of each one's heading."""
    sheet.set_column(0, 0, 10)
    sheet.set_column(1, 1, 18)
    sheet.set_column(2, 2, _TALK_WIDTH)
    row, headings = 0, []
    for number, talk in enumerate(talks, start=1):
        headings.append(row)
        sheet.write_url(
            row, 0, f"internal:'{GRADES_SHEET}'!A{number + 1}", styles["head"], f"№ {number}"
        )
        sheet.write_string(row, 1, f"отчёт {talk.report_id}", styles["head"])
        sheet.write_string(row, 2, keep_visible(talk.title), styles["head"])
        for message in talk.messages:
            for part in _parts(keep_visible(message.text)):
                row += 1
                sheet.write_string(row, 0, _SIDES[message.side], styles["text"])
                sheet.write_string(
                    row, 1, f"{message.sent_at.astimezone(zone):%d.%m.%Y %H:%M}", styles["text"]
                )
                _write_long(sheet, row, 2, part, styles["text"], wide=_TALK_WIDTH)
        row += 2
    return headings


def _write_rubric(sheet: Worksheet, rubric: Rubric, styles: dict[str, Format]) -> None:
    sheet.set_column(0, 0, 24)
    sheet.set_column(1, 1, _RUBRIC_WIDTH)
    for row, words in enumerate(_GUIDE):
        sheet.merge_range(row, 0, row, 1, words, styles["text"])
        sheet.set_row(row, 32)
    row = len(_GUIDE) + 1
    for criterion, entry in rubric.criteria.items():
        anchors = entry.anchors.model_dump(exclude_none=True)
        lines: list[tuple[str, Any]] = [
            (f"Проверка {place}", check.text) for place, check in enumerate(entry.checks, start=1)
        ]
        lines += [
            (grade.value, anchors[level])
            for level, grade in GRADE_CODES.items()
            if level in anchors
        ]
        sheet.write_string(row, 0, criterion.label, styles["head"])
        _write_long(sheet, row, 1, entry.sentence, styles["head"], wide=_RUBRIC_WIDTH)
        for place, (name, words) in enumerate(lines, start=1):
            sheet.write_string(row + place, 0, name, styles["text"])
            _write_long(
                sheet,
                row + place,
                1,
                _in_words(words, entry.check_ids),
                styles["text"],
                wide=_RUBRIC_WIDTH,
            )
        row += len(lines) + 2


def _write_long(
    sheet: Worksheet, row: int, column: int, words: str, style: Format, *, wide: int
) -> None:
    """A text with room for all its lines: not every program makes a row as high as what is wrapped
    in it.
    """
    lines = sum(max(1, -(-len(line) // (wide * 9 // 10))) for line in words.split("\n"))
    sheet.write_string(row, column, words, style)
    if lines > 1:
        sheet.set_row(row, min(_LINE_POINTS * lines, _TALLEST_ROW))


def _in_words(words: str, check_ids: Sequence[str]) -> str:
    """The rubric speaks to the model in codes; a person reads what they stand for."""
    for place, check_id in enumerate(check_ids, start=1):
        words = re.sub(rf"\b{check_id}\b", f"проверке {place}", words)
    words = re.sub(r"«(y|n|na)»", lambda found: f"«{_ANSWERS[Check(found[1])]}»", words)
    return re.sub(
        rf"\b({'|'.join(GRADE_CODES)})\b", lambda found: f"«{GRADE_CODES[found[1]]}»", words
    )


def _parts(text: str) -> list[str]:
    """The text in pieces that a cell can hold."""
    return [text[start : start + _CELL_LIMIT] for start in range(0, len(text), _CELL_LIMIT)] or [""]
