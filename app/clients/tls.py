"""TLS context of the clients, and the causes of refused certificates.

There is one context per process: loading the certificates is the slowest part of the start.
"""

import ssl
from functools import cache
from pathlib import Path

_UNKNOWN_ISSUER = frozenset({2, 18, 19, 20, 21})
"""OpenSSL's X509_V_ERR codes: issuer not found, self-signed certificate, incomplete chain."""


@cache
def get_tls_context(ca_file: Path | None = None) -> ssl.SSLContext:
    """Return the shared TLS context; do not modify it.

    It contains the system's certificates, or those named by ``SSL_CERT_FILE`` and ``SSL_CERT_DIR``,
    and those of ``ca_file``.
    """
    context = ssl.create_default_context()
    if ca_file is not None:
        context.load_verify_locations(cafile=ca_file)
    return context


def describe_certificate_fault(error: BaseException | None) -> str | None:
    """Return in Russian why the server's certificate was refused and what to do.

    None: ``error`` and its causes are not about a certificate.
    """
    while error is not None and not isinstance(error, ssl.SSLCertVerificationError):
        error = error.__cause__ or error.__context__
    if error is None:
        return None
    if error.verify_code in _UNKNOWN_ISSUER:
        return (
            f"центр, который выдал сертификат сервера, неизвестен ({error.verify_message}); если"
            " это ваш шлюз или прокси, добавьте сертификат его центра в файл CA_FILE"
        )
    return f"сертификат сервера не подходит ({error.verify_message.rstrip('.')})"
