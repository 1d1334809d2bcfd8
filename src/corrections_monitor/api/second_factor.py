"""The second factor (双因素): time-based one-time passwords (RFC 6238), six digits every 30 s."""

from __future__ import annotations

import hmac

import pyotp

STEP_S = 30
DRIFT_STEPS = 1
"""A telephone's clock may be a step off (RFC 6238 §5.2)."""


def new_secret() -> str:
    """160 random bits in base 32."""
    return pyotp.random_base32()


def enrolment_uri(secret: str, username: str) -> str:
    """What an authenticator takes in as a QR code."""
    return pyotp.TOTP(secret, interval=STEP_S).provisioning_uri(name=username, issuer_name="社区矫正监测")


def step_of(secret: str, code: str, now_ms: int) -> int | None:
    """The time step whose code this is, out of those that count now."""
    totp, now_step = pyotp.TOTP(secret, interval=STEP_S), now_ms // 1_000 // STEP_S
    found = None
    for step in range(now_step - DRIFT_STEPS, now_step + DRIFT_STEPS + 1):
        if hmac.compare_digest(totp.generate_otp(step).encode(), code.strip().encode()):
            found = step
    return found
