"""Count the chats that Avito lists for an account. Nothing is stored."""

from dataclasses import dataclass

from app.clients.avito import AvitoChat, AvitoClient, ChatPage
from app.services.sync.list_pass import CHAT_TYPES
from app.services.sync.pages import LAST_OFFSET, PAGE


@dataclass(frozen=True)
class ListedChats:
    """The number of readable chats, whether Avito has more, and the newest chat by activity."""

    count: int
    has_more: bool
    newest: AvitoChat | None


async def count_listed_chats(client: AvitoClient, user_id: int) -> ListedChats:
    """Count the chats of the account's list, up to Avito's limit.

    A binary search finds the last page that has chats, in at most six requests.
    """

    async def list_page(number: int) -> ChatPage:
        return await client.list_chats(
            user_id, limit=PAGE, offset=number * PAGE, chat_types=CHAT_TYPES
        )

    first = last = await list_page(0)
    low, high = 0, LAST_OFFSET // PAGE if first.has_more else 0
    while low < high:
        middle = (low + high + 1) // 2
        page = await list_page(middle)
        if page.chats:
            low, last = middle, page
        else:
            high = middle - 1
    newest = first.chats[0] if first.chats else None
    return ListedChats(low * PAGE + len(last.chats), last.has_more, newest)
