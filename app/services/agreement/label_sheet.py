"""Write the workbook in which people grade chats: a form, the messages, and the rubric.

It contains nothing of the model's grades.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from zoneinfo import ZoneInfo

from app.domain.criteria import Criterion
from app.domain.grades import Grade
from app.domain.messages import ChatMessage, Side
from app.domain.visible_text import keep_visible
from app.grading.rubric import Rubric, RubricCriterion
from app.services.agreement.rubric_texts import list_levels, list_questions
from app.services.sheets.cells import Cell, Choices, Column, Link
from app.services.sheets.spreadsheet import SpreadsheetFile

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
"""The grade of a person who cannot decide. An empty cell may have been forgotten."""

_SIDES = {Side.CLIENT: "Клиент", Side.COMPANY: "Компания", Side.BOT: "Автоответчик"}
_LEVELS = (Grade.HIGH, Grade.MEDIUM, Grade.LOW)
_CELL_LIMIT = 16_000
"""Characters of a message in one cell.

They take at most twice as many UTF-16 units, of which Excel accepts 32,767.
"""
_TALK_COLUMNS = (Column("", 10), Column("", 18), Column("", 110, wrapped=True))
_RUBRIC_COLUMNS = (Column("", 24), Column("", 130, wrapped=True))
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
    """A chat to grade: its report's number, the listing, and the messages of its report."""

    report_id: int
    title: str
    messages: Sequence[ChatMessage]


def list_choices(criterion: Criterion) -> list[str]:
    """Return the words that a cell of the criterion may contain."""
    absent = [Grade.NONE.value] if criterion is Criterion.OBJECTION_HANDLING else []
    return [*(grade.value for grade in _LEVELS), *absent, NO_OPINION]


def _make_grade_column(criterion: Criterion) -> Column:
    fitting = Choices(list_choices(criterion), "Такой оценки нет", "Выберите оценку из списка.")
    return Column(criterion.label, 18, choices=fitting)


_GRADE_COLUMNS = (
    Column(NUMBER, 11),
    Column(REPORT, 11),
    Column(MESSAGES, 11),
    Column(TALK, 12),
    *map(_make_grade_column, Criterion),
    Column(COMMENT, 40),
    Column(RATER, 18),
)


def write_label_sheet(talks: Sequence[SheetChat], rubric: Rubric, zone: ZoneInfo) -> bytes:
    """Return an .xlsx file with three pages, the chats in the given order, times in the zone.

    The page to fill in contains no text of the chats, so it may be saved as CSV and opened in any
    program: text of a chat could be interpreted as a formula.
    """
    with SpreadsheetFile(flat=False) as book:
        book.add_page(GRADES_SHEET, _GRADE_COLUMNS, fixed_columns=4)
        row = 1
        for number, talk in enumerate(talks, start=1):
            link = Link("Читать", TALKS_SHEET, row)
            known: list[Cell] = [number, talk.report_id, len(talk.messages), link]
            book.add_rows([[*known, *[None] * (len(Criterion) + 2)]])
            row += len(_make_talk_rows(talk, zone)) + 2
        book.add_page(TALKS_SHEET, _TALK_COLUMNS)
        for number, talk in enumerate(talks, start=1):
            link = Link(f"№ {number}", GRADES_SHEET, number + 1)
            book.add_heading([link, f"отчёт {talk.report_id}", keep_visible(talk.title)])
            book.add_rows([*_make_talk_rows(talk, zone), [None] * 3])
        book.add_page(RUBRIC_SHEET, _RUBRIC_COLUMNS)
        book.add_rows([None, words] for words in _GUIDE)
        for criterion, entry in rubric.criteria.items():
            book.add_rows([[None, None]])
            book.add_heading([criterion.label, entry.sentence])
            book.add_rows(_make_rubric_rows(entry))
        return book.finish()


def _make_talk_rows(talk: SheetChat, zone: ZoneInfo) -> list[list[Cell]]:
    return [
        [_SIDES[message.side], f"{message.sent_at.astimezone(zone):%d.%m.%Y %H:%M}", part]
        for message in talk.messages
        for part in _split_text(keep_visible(message.text))
    ]


def _make_rubric_rows(entry: RubricCriterion) -> list[list[str]]:
    questions = [
        [f"Проверка {place}", question]
        for place, question in enumerate(list_questions(entry), start=1)
    ]
    return questions + [[grade.value, words] for grade, words in list_levels(entry)]


def _split_text(text: str) -> list[str]:
    """Split a text into pieces that fit into a cell."""
    return [text[start : start + _CELL_LIMIT] for start in range(0, len(text), _CELL_LIMIT)] or [""]
