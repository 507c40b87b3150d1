"""A small and slow sandbox, in which a run can be killed in the middle of a step."""

from app.sandbox.server import Sandbox


def keep_every_third(sandbox: Sandbox) -> None:
    """Keep a third of the dialogues, good and bad ones, and delay all responses."""
    chats = sandbox.avito.accounts[0].chats
    for chat_id in [chat_id for number, chat_id in enumerate(chats) if number % 3]:
        del chats[chat_id]
    sandbox.avito.switches.latency_seconds = 0.1
    sandbox.deepseek.switches.latency_seconds = 0.2
    sandbox.smtp.switches.latency_seconds = 0.3
