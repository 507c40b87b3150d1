"""TLS context of the clients.

There is one per process: loading the certificates is the slowest part of the start.
"""

import ssl
from functools import cache


@cache
def get_tls_context() -> ssl.SSLContext:
    """Return the shared TLS context; do not modify it.

    It contains the system's certificates, or those named by ``SSL_CERT_FILE`` and ``SSL_CERT_DIR``.
    """
    return ssl.create_default_context()
