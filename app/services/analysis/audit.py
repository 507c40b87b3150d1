"""Rebuild a report from what is stored: its requests byte for byte, and its verdict."""

import hashlib
from collections.abc import Sequence
from typing import Any

from app.clients.deepseek.request_body import rebuild_body
from app.database.engine import Database
from app.domain.criteria import Criterion
from app.domain.flags import list_flags
from app.errors import NotFoundError
from app.grading.prompt import system_message, with_complaint
from app.grading.rubric import Rubric
from app.grading.verdict import Verdict
from app.models import ExchangePurpose, ModelExchange, Prompt, Report
from app.repositories import messages, model_exchanges, prompts, reports
from app.services.analysis.chat_work import read_verdict, write_question
from app.services.analysis.exchange import rebuild_work
from app.services.analysis.transcript import convert_messages, select_people_between


async def audit_report(database: Database, report_id: int) -> dict[str, Any]:
    """Return the requests with their hashes, the answers, the rebuilt verdict, the differences.

    ``differences`` is empty if everything stored can be rebuilt.

    Raises:
        NotFoundError: there is no such report, or it was written before answers were stored.
    """
    async with database.session() as session:
        found = await reports.get_report(session, report_id)
        if found is None:
            raise NotFoundError(f"Отчёта {report_id} нет.")
        report = found[0]
        exchanges = await model_exchanges.list_of_report(session, report_id)
        prompt = await prompts.get_prompt(session, report.prompt_version)
        if not exchanges or prompt is None:
            raise NotFoundError(
                f"К отчёту {report_id} ответы модели не сохранены: он создан до того, как их стали"
                " хранить."
            )
        stored = await messages.list_words(session, [report.chat_id])
    window = select_people_between(
        convert_messages(stored[report.chat_id]), report.first_message_id, report.last_message_id
    )
    return _audit(report, exchanges, prompt, window)


def _audit(
    report: Report, exchanges: Sequence[ModelExchange], prompt: Prompt, window: Sequence[Any]
) -> dict[str, Any]:
    rubric = Rubric.model_validate(prompt.rubric)
    requests = [_audit_request(exchange, prompt, window) for exchange in exchanges]
    graded = [entry for entry in exchanges if entry.purpose == ExchangePurpose.GRADING]
    answers = [exchange.answer for exchange in graded]
    verdict = read_verdict(rebuild_work(graded[0], window), answers, rubric)
    differences = [
        f"запрос {place}: собранный заново отличается от отправленного"
        for place, request in enumerate(requests, start=1)
        if request["sha256"] != request["sent_sha256"]
    ]
    if system_message(rubric) != prompt.system:
        differences.append("инструкция: собранная заново отличается от отправленной")
    differences += _compare(report, verdict)
    return {
        "report_id": report.id,
        "prompt_version": prompt.version,
        "requests": requests,
        "verdict": verdict if isinstance(verdict, str) else _describe(verdict),
        "differences": differences,
    }


def _audit_request(
    exchange: ModelExchange, prompt: Prompt, window: Sequence[Any]
) -> dict[str, Any]:
    user = write_question(rebuild_work(exchange, window))
    if complaint := exchange.question["complaint"]:
        user = with_complaint(user, complaint)
    body = rebuild_body(exchange.parameters, system=prompt.system, user=user)
    return {
        "purpose": exchange.purpose,
        "asked_at": exchange.asked_at.isoformat(),
        "sha256": hashlib.sha256(body).hexdigest(),
        "sent_sha256": exchange.request_sha256,
        "body": body.decode(),
        "answer": exchange.answer,
    }


def _describe(verdict: Verdict) -> dict[str, Any]:
    return {
        "score": round(verdict.score, 2),
        "criteria": verdict.evidence,
        "summary": verdict.summary,
        "recommendations": [advice.text for advice in verdict.recommendations],
        "flags": [flag.value for flag in verdict.flags],
    }


def _compare(report: Report, verdict: Verdict | str) -> list[str]:
    """Return where the rebuilt verdict differs from the report."""
    if isinstance(verdict, str):
        return [f"вердикт: ответ не принимается ({verdict})"]
    stored = report.detail["criteria"]
    differences = [
        f"{criterion.value}: вердикт, собранный заново, отличается от сохранённого"
        for criterion in Criterion
        if verdict.evidence[criterion.value] != stored[criterion.value]
    ]
    if round(verdict.score, 2) != float(report.score):
        differences.append("балл отличается от сохранённого")
    if verdict.summary != report.body["summary"]:
        differences.append("summary отличается от сохранённого")
    if [flag.value for flag in verdict.flags] != list_flags(report.detail):
        differences.append("отметки отличаются от сохранённых")
    return differences
