"""Strict parsing of e-mail addresses and host names, for the settings and the mail client.

``email.utils.parseaddr`` is not used: its patch releases differ, for example on
``boss@[127.0.0.1]``.
"""

import re
from dataclasses import dataclass
from ipaddress import IPv4Address, IPv6Address

import idna

# RFC 5321, 4.5.3.1: limits in octets, as sent.
_LONGEST_LOCAL_PART, _LONGEST_DOMAIN, _LONGEST_ADDRESS = 64, 255, 254
_ATOM = r"[a-zA-Z0-9!#$%&'*+/=?^_`{|}~\-\u0080-\U0010ffff]+"
_DOT_ATOM = re.compile(rf"{_ATOM}(?:\.{_ATOM})*")
_LABEL = r"[a-zA-Z0-9](?:[a-zA-Z0-9-]{0,61}[a-zA-Z0-9])?"
_LABELS = re.compile(rf"{_LABEL}(?:\.{_LABEL})*")


@dataclass(frozen=True)
class MailAddress:
    """A mailbox: ``local_part`` as it was written, ``domain`` in ASCII."""

    local_part: str
    domain: str

    @classmethod
    def parse(cls, text: str) -> "MailAddress":
        """Parse one bare address.

        An address is a dot-atom (RFC 5322, with the UTF-8 of RFC 6531) and a domain or an address
        literal.

        Raises:
            ValueError: the text is not a valid address.
        """
        local_part, _, domain = text.rpartition("@")
        if not (_DOT_ATOM.fullmatch(local_part) and local_part.isprintable()):
            raise ValueError("the local part is not a dot-atom")
        address = cls(local_part, encode_domain(domain))
        if (
            len(local_part.encode()) > _LONGEST_LOCAL_PART
            or len(str(address).encode()) > _LONGEST_ADDRESS
        ):
            raise ValueError("the address is too long")
        return address

    @property
    def needs_smtputf8(self) -> bool:
        """Whether the address requires a server with SMTPUTF8 (RFC 6531)."""
        return not self.local_part.isascii()

    def __str__(self) -> str:
        return f"{self.local_part}@{self.domain}"


def encode_domain(domain: str) -> str:
    """Return a domain in ASCII.

    An internationalized domain becomes punycode (IDNA 2008). An address literal is returned
    unchanged (RFC 5321, 4.1.3).

    Raises:
        ValueError: the text is neither a domain nor an address literal.
    """
    if domain.startswith("[") and domain.endswith("]"):
        literal = domain[1:-1]
        if literal[:5].lower() == "ipv6:":
            if IPv6Address(literal[5:]).scope_id is not None:
                raise ValueError("a zone is known to its own machine only")
        else:
            IPv4Address(literal)
        return domain
    # idna.IDNAError is a ValueError. ASCII names are checked below: IDNA rejects names that exist,
    # for example "r3---sn.example.com".
    ascii_domain = domain if domain.isascii() else idna.encode(domain, uts46=True).decode()
    if not _LABELS.fullmatch(ascii_domain) or len(ascii_domain) > _LONGEST_DOMAIN:
        raise ValueError("not a domain")
    return ascii_domain
