"""The formats of ``GET /reports``: negotiation and responses."""

from collections.abc import AsyncIterator, Mapping
from typing import Any, Literal

from fastapi.responses import Response, StreamingResponse

from app.api.negotiation import parse_qualities
from app.api.v1.responses import Responses, describe_invalid
from app.api.v1.schemas import ReportRead
from app.services.reports.csv_file import as_csv
from app.services.reports.xlsx_file import write_reports

Format = Literal["json", "csv", "xlsx"]

MEDIA_TYPES: dict[Format, str] = {
    "json": "application/json",
    "csv": "text/csv",
    "xlsx": "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
}


def _describe_text(words: str, example: str) -> dict[str, Any]:
    return {"description": words, "schema": {"type": "string", "examples": [example]}}


REPORT_RESPONSES: Responses = {
    200: {
        "model": list[ReportRead],
        "headers": {
            "Link": _describe_text(
                "Адрес следующей части; нет его — эта последняя.",
                '<http://localhost:8000/api/v1/reports?cursor=…>; rel="next"',
            ),
            "Content-Disposition": _describe_text(
                "Имя файла; только для csv и xlsx.",
                'attachment; filename="reports_2026-11-01_2026-11-30.csv"',
            ),
        },
        "content": {
            MEDIA_TYPES["csv"]: {
                "schema": {
                    "type": "string",
                    "description": "UTF-8 с BOM, разделитель «;», первая строка — имена полей.",
                },
                "example": (
                    "\ufeffchat_id;created_at;chat_title\r\nu2i-f7227b263e8~7c8423dd6c9;2026-11-22T20:03:11.402+03:00;Диван\r\n"
                ),
            },
            MEDIA_TYPES["xlsx"]: {
                "schema": {"type": "string", "format": "binary", "description": "Книга Excel."}
            },
        },
    },
    400: describe_invalid("start_date", "позже, чем end_date"),
}


def choose_format(named: Format | None, accept: str) -> Format:
    """Return the format of the query, else the preferred one of the Accept header, else JSON.

    By RFC 9110, 12.5.1, the quality of a type is that of the narrowest range that covers it. Among
    formats of equal quality the one with the narrower range wins, then the one named first.
    """
    if named is not None:
        return named
    best: Format = "json"
    best_rank = (0.0, 0, 0)
    ranges = list(enumerate(parse_qualities(accept)))
    for form, media_type in MEDIA_TYPES.items():
        patterns = ("*/*", media_type.split("/")[0] + "/*", media_type)
        covering = [
            (patterns.index(media), -place, quality)
            for place, (media, quality) in ranges
            if media in patterns
        ]
        narrowness, earliness, quality = max(covering, default=(0, 0, 0.0))
        if (rank := (quality, narrowness, earliness)) > best_rank and quality > 0:
            best, best_rank = form, rank
    return best


async def make_table_response(
    form: Literal["csv", "xlsx"],
    chunks: AsyncIterator[list[bytes]],
    *,
    name: str,
    headers: Mapping[str, str],
    expected: int,
    bounded: bool,
    headers_only: bool,
) -> Response:
    """Return the chunks as a table.

    ``name``: of a file without its extension. ``expected``: the approximate number of reports.
    ``bounded``: they are one page, which has a ``Content-Length`` as CSV too.

    Other CSV is streamed. If the stream fails, the connection is aborted (``HttpProtocol``): a
    client cannot mistake a part for the whole. With ``headers_only`` no sheet is made, and the
    response has no ``Content-Length``.
    """
    all_headers = {**headers, "Content-Disposition": f'attachment; filename="{name}.{form}"'}
    streamed = headers_only if form == "xlsx" else not bounded  # a HEAD needs no sheet
    if streamed:
        return StreamingResponse(as_csv(chunks), media_type=MEDIA_TYPES[form], headers=all_headers)
    content = (
        b"".join([part async for part in as_csv(chunks)])
        if form == "csv"
        else await write_reports(chunks, expected=expected)
    )
    return Response(content, media_type=MEDIA_TYPES[form], headers=all_headers)
