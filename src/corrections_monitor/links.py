"""One-time links (一次性链接): they name an alert and an officer, expire, and are signed with HMAC-SHA256.

Whoever holds one may see what the message said and acknowledge that alert as that officer, once, without
login.  Opening shows; only a press acknowledges, because scanners of mail and chat open every link.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
from dataclasses import dataclass

import msgspec

PATH = "/a/"
_SIGNATURE_BYTES = 16  # 128 bits: nobody guesses it, and the link still fits into a short message


@dataclass(frozen=True, slots=True)
class Link:
    alert_id: str
    officer_id: str
    expires_ms: int


def write_link(key: bytes, link: Link) -> str:
    """The token, fit for a URL's path."""
    body = msgspec.json.encode([link.alert_id, link.officer_id, link.expires_ms // 1_000])
    return base64.urlsafe_b64encode(_signature(key, body) + body).decode().rstrip("=")


def read_link(key: bytes, token: str) -> Link | None:
    """What a token of ours names; None for any other.  Whether it has expired is for the caller to say."""
    try:
        whole = base64.b64decode(token + "=" * (-len(token) % 4), altchars=b"-_", validate=True)
        signature, body = whole[:_SIGNATURE_BYTES], whole[_SIGNATURE_BYTES:]
        if not hmac.compare_digest(signature, _signature(key, body)):
            return None
        alert_id, officer_id, expires_s = msgspec.json.decode(body, type=tuple[str, str, int])
    except (binascii.Error, ValueError):
        return None
    return Link(alert_id, officer_id, expires_s * 1_000)


def digest(token: str) -> bytes:
    """What is kept of a link that was used."""
    return hashlib.sha256(token.encode()).digest()


def _signature(key: bytes, body: bytes) -> bytes:
    return hmac.new(key, body, hashlib.sha256).digest()[:_SIGNATURE_BYTES]
