"""Logging in by another platform's OpenID provider (智慧司法 统一身份认证): authorization code with PKCE.

What the provider says is believed only as an ID token whose signature, issuer, audience, time and nonce
are right (OpenID Connect Core §3.1.3.7).
"""

from __future__ import annotations

import asyncio
import secrets
import warnings
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import httpx
from authlib.oauth2 import OAuth2Error
from joserfc import jwt
from joserfc.errors import JoseError
from joserfc.jwk import KeySet

from corrections_monitor.config import Oidc

with warnings.catch_warnings():  # that its next version will use another HTTP library
    warnings.simplefilter("ignore")
    from authlib.integrations.httpx_client import AsyncOAuth2Client

ALGORITHMS = ["RS256", "PS256", "ES256", "EdDSA"]
LEEWAY_S = 60
TIMEOUT_S = 10.0
SECOND_FACTORS = frozenset({"mfa", "otp", "hwk", "sc", "face", "fpt"})
"""Authentication methods (RFC 8176) that count as more than a password."""


class OidcError(Exception):
    """The provider does not answer, or what it says cannot be believed."""


@dataclass(frozen=True, slots=True)
class Attempt:
    """What a browser carries while it is at the provider."""

    state: str
    nonce: str
    verifier: str


@dataclass(frozen=True, slots=True)
class Identity:
    """Who the provider says it is, and whether by more than a password."""

    username: str
    second_factor: bool


class OidcDesk:
    """One provider; its addresses and keys are read once and again when a key is unknown."""

    def __init__(self, config: Oidc) -> None:
        self._config = config
        self._found: Mapping[str, Any] | None = None
        self._finding = asyncio.Lock()

    @property
    def is_open(self) -> bool:
        """Whether there is a provider at all."""
        return self._config.issuer is not None

    async def begin(self, redirect_uri: str) -> tuple[str, Attempt]:
        """Where to send the browser, and what it has to bring back.  Raises OidcError."""
        addresses = await self._addresses()
        attempt = Attempt(secrets.token_urlsafe(24), secrets.token_urlsafe(24), secrets.token_urlsafe(48))
        async with self._client(redirect_uri) as client:
            url, _ = client.create_authorization_url(
                addresses["authorization_endpoint"],
                state=attempt.state,
                nonce=attempt.nonce,
                code_verifier=attempt.verifier,
            )
        return str(url), attempt

    async def finish(self, code: str, attempt: Attempt, redirect_uri: str, now_s: int) -> Identity:
        """Exchange the code and read the ID token.  Raises OidcError."""
        addresses = await self._addresses()
        try:
            async with self._client(redirect_uri) as client:
                token = await client.fetch_token(
                    addresses["token_endpoint"], code=code, code_verifier=attempt.verifier
                )
                keys = (await client.request("GET", addresses["jwks_uri"], withhold_token=True)).json()
        except (httpx.HTTPError, OAuth2Error, ValueError) as fault:
            raise OidcError(f"{type(fault).__name__}: {fault}") from None
        claims = self._claims(str(token.get("id_token", "")), keys, attempt, addresses["issuer"], now_s)
        username = claims.get(self._config.username_claim)
        if not isinstance(username, str) or not username:
            raise OidcError(f"the ID token has no claim {self._config.username_claim}")
        return Identity(username, bool(SECOND_FACTORS & set(claims.get("amr") or ())))

    def _claims(self, token: str, keys: Any, attempt: Attempt, issuer: str, now_s: int) -> Mapping[str, Any]:
        rules = jwt.JWTClaimsRegistry(
            now=now_s,
            leeway=LEEWAY_S,
            iss={"essential": True, "value": issuer},
            aud={"essential": True, "value": self._config.client_id or ""},
            exp={"essential": True},
            nonce={"essential": True, "value": attempt.nonce},
        )
        try:
            claims = jwt.decode(token, KeySet.import_key_set(keys), algorithms=ALGORITHMS).claims
            rules.validate(claims)
        except (JoseError, ValueError, KeyError) as fault:
            raise OidcError(f"the ID token: {type(fault).__name__}: {fault}") from None
        return claims

    async def _addresses(self) -> Mapping[str, Any]:
        async with self._finding:
            if self._found is None:
                issuer = str(self._config.issuer).rstrip("/")
                try:
                    async with httpx.AsyncClient(timeout=TIMEOUT_S) as client:
                        answer = await client.get(f"{issuer}/.well-known/openid-configuration")
                        found = answer.raise_for_status().json()
                except (httpx.HTTPError, ValueError) as fault:
                    raise OidcError(f"{issuer}: {type(fault).__name__}: {fault}") from None
                if str(found.get("issuer", "")).rstrip("/") != issuer:
                    raise OidcError(f"{issuer}: calls itself {found.get('issuer')}")
                self._found = found
        return self._found

    def _client(self, redirect_uri: str) -> Any:
        return AsyncOAuth2Client(
            self._config.client_id,
            self._config.client_secret,
            scope="openid profile",
            redirect_uri=redirect_uri,
            code_challenge_method="S256",
            timeout=TIMEOUT_S,
        )
