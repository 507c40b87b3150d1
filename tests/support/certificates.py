"""Self-signed certificates without openssl or a package.

ECDSA on P-256 (FIPS 186) in DER (X.690, RFC 5280, RFC 5915).
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


def add_points(a: Point, b: Point) -> Point:
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


def multiply_base(times: int) -> tuple[int, int]:
    total: Point = None
    power: Point = BASE
    while times:
        total = add_points(total, power) if times & 1 else total
        power = add_points(power, power)
        times >>= 1
    assert total
    return total


def encode_der(tag: int, *parts: bytes) -> bytes:
    body = b"".join(parts)
    size = len(body)
    length = (
        bytes([size])
        if size < 128
        else bytes([128 + (size.bit_length() + 7) // 8])
        + size.to_bytes((size.bit_length() + 7) // 8, "big")
    )
    return bytes([tag]) + length + body


def encode_integer(value: int) -> bytes:
    return encode_der(2, value.to_bytes(value.bit_length() // 8 + 1, "big"))


def encode_pem(label: str, body: bytes) -> str:
    return f"-----BEGIN {label}-----\n{base64.encodebytes(body).decode()}-----END {label}-----\n"


def make_self_signed(address: str) -> str:
    """Return a key and its certificate for an IPv4 address, in PEM."""
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
    x, y = multiply_base(key)
    public = encode_der(3, b"\0\4" + x.to_bytes(32, "big") + y.to_bytes(32, "big"))
    name = encode_der(
        0x30, encode_der(0x31, encode_der(0x30, common_name, encode_der(12, address.encode())))
    )
    validity = encode_der(
        0x30,
        *(
            encode_der(23, f"{now + timedelta(days=days):%y%m%d%H%M%SZ}".encode())
            for days in (-1, 1)
        ),
    )
    names = encode_der(4, encode_der(0x30, encode_der(0x87, bytes(map(int, address.split("."))))))
    body = encode_der(
        0x30,
        encode_der(0xA0, encode_integer(2)),
        encode_integer(secrets.randbits(63)),
        encode_der(0x30, ecdsa_sha256),
        name,
        validity,
        name,
        encode_der(0x30, encode_der(0x30, ec_key, p256), public),
        encode_der(0xA3, encode_der(0x30, encode_der(0x30, alternative_name, names))),
    )
    r = multiply_base(nonce)[0] % ORDER
    s = (
        pow(nonce, -1, ORDER)
        * (int.from_bytes(hashlib.sha256(body).digest(), "big") + r * key)
        % ORDER
    )
    signature = encode_der(3, b"\0", encode_der(0x30, encode_integer(r), encode_integer(s)))
    private = encode_der(
        0x30,
        encode_integer(1),
        encode_der(4, key.to_bytes(32, "big")),
        encode_der(0xA0, p256),
        encode_der(0xA1, public),
    )
    return encode_pem("EC PRIVATE KEY", private) + encode_pem(
        "CERTIFICATE", encode_der(0x30, body, encode_der(0x30, ecdsa_sha256), signature)
    )
