"""Failed connections: their causes, and the messages that are the same for every server."""

import errno

from app.clients.proxies import find_proxy
from app.clients.text import build_excerpt
from app.clients.tls import describe_certificate_fault

OUT_OF_FILES = (
    "У службы кончились файлы для соединений: повторим позже сами; если повторяется, увеличьте"
    " предел (ulimit -n, LimitNOFILE)."
)
_LONGEST_EXCERPT = 200


def is_out_of_files(error: BaseException | None) -> bool:
    """Return whether a connection failed because no file descriptor is left.

    The limit may be that of the process or of the machine.
    """
    while error is not None:
        if isinstance(error, OSError) and error.errno in (errno.EMFILE, errno.ENFILE):
            return True
        error = error.__cause__ or error.__context__
    return False


def describe_missing_response(
    error: BaseException,
    proxy_error: BaseException | None,
    *,
    server: str,
    url: str,
    setting: str,
) -> str:
    """Return in Russian why an HTTP server sent no response, and what to check.

    - ``proxy_error`` is the refusal of the proxy, if that is the cause.
    - ``server`` is the name of the server, ``url`` the address of the request, and ``setting`` the
      setting with the server's address.
    """
    if is_out_of_files(error):
        return OUT_OF_FILES
    if certificate := describe_certificate_fault(error):
        return f"{server}: {certificate}; адрес — в {setting}."
    proxy = find_proxy(url)
    name = f"{proxy.address} ({proxy.variable})" if proxy else ""
    if proxy_error is not None:
        reason = build_excerpt(str(proxy_error), _LONGEST_EXCERPT)
        return f"Прокси {name} не пустил к {server} ({reason}): проверьте его адрес, имя и пароль."
    way, first = (f" через прокси {name}", "прокси, ") if proxy else ("", "")
    return (
        f"{server} не отвечает{way} ({type(error).__name__}): повторим позже сами; если так больше"
        f" часа, проверьте {first}{setting} и доступ сервера в интернет."
    )
