"""Whom the clients trust: one context for the process, as reading the certificates is the slowest
part of its start.
"""

import ssl
from functools import cache


@cache
def trusted() -> ssl.SSLContext:
    """The system's certificates, or those that ``SSL_CERT_FILE`` and ``SSL_CERT_DIR`` name; to be
    shared and not to be changed.
    """
    return ssl.create_default_context()
