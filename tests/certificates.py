"""Self-signed certificates, made without openssl or a package: ECDSA on P-256 (FIPS 186) in DER
(X.690, RFC 5280, RFC 5915).
"""

import base64
import hashlib
import secrets
from datetime import UTC, datetime, timedelta

P = 2**256 - 2**224 + 2**192 + 2**96 - 1
ORDER = 0xFFFFFFFF00000000FFFFFFFFFFFFFFFFBCE6FAADA7179E84F3B9CAC2FC632551
BASE = (
    0x6B17D1F2E12C4247F8BCE6E563A440F277037D812DEB33A0F4A13945D898C296,
    0x4FE342E2FE1A7F9B8EE7EB4A7C0F9E162BCE33576B315ECECBB6406837BF51F5,
)

Point = tuple[int, int] | None


def added(a: Point, b: Point) -> Point:
    if a is None or b is None:
        return a or b
    if a[0] == b[0] and (a[1] + b[1]) % P == 0:
        return None
    slope = (
        (3 * a[0] ** 2 - 3) * pow(2 * a[1], -1, P)
        if a == b
        else (b[1] - a[1]) * pow(b[0] - a[0], -1, P)
    )
    x = (slope**2 - a[0] - b[0]) % P
    return x, (slope * (a[0] - x) - a[1]) % P


def multiplied(times: int) -> tuple[int, int]:
    total: Point = None
    power: Point = BASE
    while times:
        total = added(total, power) if times & 1 else total
        power = added(power, power)
        times >>= 1
    assert total
    return total


def der(tag: int, *parts: bytes) -> bytes:
    body = b"".join(parts)
    size = len(body)
    length = (
        bytes([size])
        if size < 128
        else bytes([128 + (size.bit_length() + 7) // 8])
        + size.to_bytes((size.bit_length() + 7) // 8, "big")
    )
    return bytes([tag]) + length + body


def integer(value: int) -> bytes:
    return der(2, value.to_bytes(value.bit_length() // 8 + 1, "big"))


def pem(label: str, body: bytes) -> str:
    return f"-----BEGIN {label}-----\n{base64.encodebytes(body).decode()}-----END {label}-----\n"


def self_signed(address: str) -> str:
    """A key and its certificate for an IPv4 address, in PEM."""
    ecdsa_sha256, ec_key, p256, common_name, alternative_name = map(
        bytes.fromhex,
        (
            "06082a8648ce3d040302",
            "06072a8648ce3d0201",
            "06082a8648ce3d030107",
            "0603550403",
            "0603551d11",
        ),
    )
    key, nonce, now = (
        secrets.randbelow(ORDER - 1) + 1,
        secrets.randbelow(ORDER - 1) + 1,
        datetime.now(UTC),
    )
    x, y = multiplied(key)
    public = der(3, b"\0\4" + x.to_bytes(32, "big") + y.to_bytes(32, "big"))
    name = der(0x30, der(0x31, der(0x30, common_name, der(12, address.encode()))))
    validity = der(
        0x30, *(der(23, f"{now + timedelta(days=days):%y%m%d%H%M%SZ}".encode()) for days in (-1, 1))
    )
    names = der(4, der(0x30, der(0x87, bytes(map(int, address.split("."))))))
    body = der(
        0x30,
        der(0xA0, integer(2)),
        integer(secrets.randbits(63)),
        der(0x30, ecdsa_sha256),
        name,
        validity,
        name,
        der(0x30, der(0x30, ec_key, p256), public),
        der(0xA3, der(0x30, der(0x30, alternative_name, names))),
    )
    r = multiplied(nonce)[0] % ORDER
    s = (
        pow(nonce, -1, ORDER)
        * (int.from_bytes(hashlib.sha256(body).digest(), "big") + r * key)
        % ORDER
    )
    signature = der(3, b"\0", der(0x30, integer(r), integer(s)))
    private = der(
        0x30, integer(1), der(4, key.to_bytes(32, "big")), der(0xA0, p256), der(0xA1, public)
    )
    return pem("EC PRIVATE KEY", private) + pem(
        "CERTIFICATE", der(0x30, body, der(0x30, ecdsa_sha256), signature)
    )
