"""Fewer chats for days that are killed again and again, and far ends slow enough that a step can be
caught at work.
"""

from app.sandbox.server import Sandbox


def keep_every_third(sandbox: Sandbox) -> None:
    """Leaves a third of the dialogues, good and bad ones, and slows every answer down."""
    chats = sandbox.avito.accounts[0].chats
    for chat_id in [chat_id for number, chat_id in enumerate(chats) if number % 3]:
        del chats[chat_id]
    sandbox.avito.switches.latency_seconds = 0.1
    sandbox.deepseek.switches.latency_seconds = 0.2
    sandbox.smtp.switches.latency_seconds = 0.3
