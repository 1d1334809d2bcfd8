"""Signed webhooks: the alert object as JSON, for the platforms of other houses (CONTRACT §6).

``X-Corrections-Signature: sha256=<hex>`` is the HMAC-SHA256 of the body under the webhook's secret;
``Idempotency-Key`` is the same for every attempt, so that a receiver can drop a second delivery.
"""

from __future__ import annotations

import hashlib
import hmac
from urllib.parse import quote

import httpx
import msgspec

from corrections_monitor.paging.channels import Notice
from corrections_monitor.paging.results import Handed, Result

SIGNATURE_HEADER = "X-Corrections-Signature"

# Statuses that say "later": time-out, too early, too many, and every fault of the server's own.
_LATER = frozenset({408, 425, 429})


class WebhookChannel:
    """One receiver, with connections of its own so that no other receiver can use them up."""

    def __init__(self, url: str, secret: str, timeout_s: float = 10.0) -> None:
        self._url = url
        self._secret = secret.encode()
        self._client = httpx.AsyncClient(timeout=timeout_s, follow_redirects=False)

    async def close(self) -> None:
        """Close the connections."""
        await self._client.aclose()

    async def send(self, notice: Notice) -> Result:
        """POST the alert object, signed."""
        body = msgspec.json.encode(notice.alert)
        headers = {
            "Content-Type": "application/json",
            "Idempotency-Key": quote(notice.key, safe=":#@"),
            "X-Corrections-Officer": quote(notice.officer_id),
            SIGNATURE_HEADER: signature(self._secret, body),
        }
        try:
            # The status is all that counts: a receiver's answer, however long, is not read.
            async with self._client.stream("POST", self._url, content=body, headers=headers) as response:
                return _judged(response)
        except (httpx.ConnectError, httpx.ConnectTimeout, httpx.PoolTimeout) as error:
            return Result(Handed.TEMPORARY, f"not reached: {type(error).__name__}")
        except httpx.TransportError as error:
            return Result(Handed.UNCONFIRMED, f"no answer: {type(error).__name__}")
        except (httpx.InvalidURL, httpx.UnsupportedProtocol) as error:
            return Result(Handed.PERMANENT, f"the address cannot be used: {type(error).__name__}")


def signature(secret: bytes, body: bytes) -> str:
    """The value of ``X-Corrections-Signature``."""
    return "sha256=" + hmac.new(secret, body, hashlib.sha256).hexdigest()


def _judged(response: httpx.Response) -> Result:
    status = response.status_code
    if response.is_success:
        return Result(Handed.DELIVERED)
    if status in _LATER or status >= 500:
        after = response.headers.get("Retry-After", "")
        return Result(
            Handed.TEMPORARY,
            f"status {status}",
            retry_after_ms=int(after) * 1_000 if after.isdecimal() and len(after) < 9 else None,
        )
    return Result(Handed.PERMANENT, f"status {status}")
