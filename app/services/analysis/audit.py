"""Rebuild a report from what is stored: its requests byte for byte, and its verdict."""

import hashlib
import pickle
from collections.abc import Sequence
from typing import Any

from app.clients.deepseek.request_body import rebuild_body
from app.database.engine import Database
from app.domain.messages import ChatMessage
from app.errors import NotFoundError
from app.grading.prompt import system_message, with_complaint
from app.grading.rubric import Rubric
from app.grading.verdict import Verdict
from app.models import ExchangePurpose, Prompt, Report
from app.repositories import messages, model_exchanges, prompts, reports
from app.repositories.model_exchanges import StoredExchange
from app.services.analysis.audit_comparison import list_differences
from app.services.analysis.chat_work import read_verdict, write_question
from app.services.analysis.exchange import rebuild_work
from app.services.analysis.transcript import convert_messages


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
    return _audit(report, exchanges, prompt, convert_messages(stored[report.chat_id]))


def _audit(
    report: Report,
    exchanges: Sequence[StoredExchange],
    prompt: Prompt,
    messages: Sequence[ChatMessage],
) -> dict[str, Any]:
    rubric = Rubric.model_validate(prompt.rubric)
    requests = [_audit_request(exchange, prompt, messages) for exchange in exchanges]
    verdict, repeat = (
        _rebuild_verdict(_list_used(exchanges, purpose), messages, rubric, prompt.facts)
        for purpose in (ExchangePurpose.GRADING, ExchangePurpose.REPEAT)
    )
    differences = [
        f"запрос {place}: собранный заново отличается от отправленного"
        for place, request in enumerate(requests, start=1)
        if request["sha256"] != request["sent_sha256"]
    ]
    if system_message(rubric, prompt.facts or "") != prompt.system:
        differences.append("инструкция: собранная заново отличается от отправленной")
    window = rebuild_work(exchanges[0], messages, prompt.facts).window
    differences += _compare(report, window, verdict, repeat)
    return {
        "report_id": report.id,
        "prompt_version": prompt.version,
        "requests": requests,
        "verdict": _describe(verdict) if isinstance(verdict, Verdict) else verdict,
        "differences": differences,
    }


def _list_used(
    exchanges: Sequence[StoredExchange], purpose: ExchangePurpose
) -> list[StoredExchange]:
    """Return the exchanges whose answers count for the verdict."""
    return [
        entry
        for entry in exchanges
        if entry.purpose == purpose and entry.question.get("unused") is None
    ]


def _rebuild_verdict(
    exchanges: Sequence[StoredExchange],
    messages: Sequence[ChatMessage],
    rubric: Rubric,
    facts: str | None,
) -> Verdict | str | None:
    """Return the verdict in the answers, or the complaint about them; None without answers."""
    if not exchanges:
        return None
    answers = [exchange.answer for exchange in exchanges]
    work = rebuild_work(exchanges[0], messages, facts)
    return read_verdict(write_question(work).state, answers, pickle.dumps(rubric))


def _audit_request(
    exchange: StoredExchange, prompt: Prompt, messages: Sequence[ChatMessage]
) -> dict[str, Any]:
    user = write_question(rebuild_work(exchange, messages, prompt.facts)).text
    if complaint := exchange.question["complaint"]:
        user = with_complaint(user, complaint)
    body = rebuild_body(exchange.parameters, system=prompt.system, user=user)
    return {
        "purpose": exchange.purpose,
        "unused": exchange.question.get("unused"),
        "attempts": exchange.question.get("attempts"),
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


def _compare(
    report: Report,
    window: Sequence[ChatMessage],
    verdict: Verdict | str | None,
    repeat: Verdict | str | None,
) -> list[str]:
    """Return where the rebuilt verdicts differ from the report."""
    if verdict is None:
        return ["вердикт: ответы, по которым он вынесен, не сохранены"]
    if isinstance(verdict, str):
        return [f"вердикт: ответ не принимается ({verdict})"]
    if isinstance(repeat, str):
        return [f"повторная оценка: ответ не принимается ({repeat})"]
    return list_differences(report, window, verdict, repeat)
