"""``corrections-monitor credentials issue|rotate|revoke device|officer|service ID``.

Whoever may run this command on the machine holds the database's password, and so may let anyone in: the
first admin is an officer of officers.csv with role ``admin`` for whom ``credentials issue officer ID`` is
run once, and a forgotten password is ``credentials rotate officer ID``, which also ends every session of
that officer.  Secrets are shown once and kept as hashes; every call is in the audit log.
"""

from __future__ import annotations

import csv
import os
from collections.abc import Collection, Sequence
from pathlib import Path

from corrections_monitor.store import Store
from corrections_monitor.store.api_accounts import reset_factor as drop_factor
from corrections_monitor.store.credentials import Kind
from corrections_monitor.store.holders import bound_devices, is_device, is_office, officer_username

SCOPES = frozenset({"read", "locate", "audit"})
"""What a service may be given (as the API's permissions are called): to look, and to change nothing."""

_MANY = 1_000  # devices per transaction: the audit row names each


class NoSuchHolderError(ValueError):
    """Nobody of that kind has this id, or holds nothing that could be rotated or revoked."""


async def issue_service(
    store: Store,
    name: str,
    *,
    actor: str,
    now_ms: int,
    scopes: Sequence[str] | None,
    office_id: str | None,
) -> dict[str, str]:
    """Make a service's ``{"token"}``; what it had before stops working.

    ``scopes``: what it may do (None: what it might before), in ``office_id`` with all below it (None:
    everywhere).  Raises NoSuchHolderError for an office that the cases do not have.
    """
    if office_id is not None and not await is_office(store, office_id):
        raise NoSuchHolderError(f"office {office_id}: not in offices.csv as imported")
    return {"token": await store.credentials.issue_service(name, now_ms, actor, scopes, office_id)}


async def reset_factor(store: Store, officer_id: str, *, actor: str, now_ms: int) -> dict[str, str]:
    """Take an officer's second factor away, also when no admin can log in any more."""
    offices = [office.office_id for office in (await store.load_cases())[0].offices.values()]
    if not await drop_factor(store, offices, officer_id, actor, now_ms):
        raise NoSuchHolderError(f"factor {officer_id}: this officer has none")
    return {"reset": officer_id}


async def issue(store: Store, kind: Kind, holder_id: str, *, actor: str, now_ms: int) -> dict[str, str]:
    """Make a secret: ``{"username", "password"}``; a service's token may then look at everything.

    What the holder had before stops working.  Raises NoSuchHolderError for an officer or device that the
    cases do not have; a service is whatever the operator calls it.
    """
    if kind == "service":
        return await issue_service(
            store, holder_id, actor=actor, now_ms=now_ms, scopes=sorted(SCOPES), office_id=None
        )
    username = await _username(store, kind, holder_id)
    secret = await store.credentials.issue(kind, holder_id, now_ms, actor)
    return {"username": username, "password": secret}


async def rotate(store: Store, kind: Kind, holder_id: str, *, actor: str, now_ms: int) -> dict[str, str]:
    """Replace a secret, as ``issue``; raises NoSuchHolderError also when there is none to replace."""
    if holder_id not in await store.credentials.hashes(kind):
        raise NoSuchHolderError(f"{kind} {holder_id}: has no credential to rotate; use issue")
    if kind == "service":
        return await issue_service(store, holder_id, actor=actor, now_ms=now_ms, scopes=None, office_id=None)
    return await issue(store, kind, holder_id, actor=actor, now_ms=now_ms)


async def revoke(store: Store, kind: Kind, holder_id: str, *, actor: str, now_ms: int) -> dict[str, str]:
    """End a secret: ``{"revoked": id}``.  Raises NoSuchHolderError when there is none."""
    if not await store.credentials.revoke(kind, [holder_id], now_ms, actor):
        raise NoSuchHolderError(f"{kind} {holder_id}: has no credential")
    return {"revoked": holder_id}


async def issue_all_devices(
    store: Store,
    file: Path,
    *,
    actor: str,
    now_ms: int,
    renew: bool = False,
    only: Collection[str] | None = None,
) -> int:
    """Write ``username,password`` of every bound device that has none (``renew``: of every one; ``only``: of
    these) to a new file that only its owner can read; returns how many.

    Raises NoSuchHolderError naming each of ``only`` that is bound to nobody, FileExistsError rather than
    overwrite passwords that are kept nowhere else, and OSError.
    """
    devices = await bound_devices(store, now_ms)
    if only is not None:
        if strangers := sorted(set(only) - set(devices)):
            raise NoSuchHolderError("\n".join(f"device {name}: bound to nobody" for name in strangers))
        devices = sorted(only)
    if not renew:
        holding = await store.credentials.hashes("device")
        devices = [device for device in devices if device not in holding]
    # Opened before anything is issued: a secret that cannot be written down would be lost.
    handle = os.open(file, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(handle, "w", encoding="utf-8", newline="") as text:
        writer = csv.writer(text, lineterminator="\n")
        writer.writerow(("username", "password"))
        for start in range(0, len(devices), _MANY):
            some = devices[start : start + _MANY]
            secrets = await store.credentials.issue_many("device", some, now_ms, actor)
            writer.writerows(zip(some, secrets, strict=True))
            text.flush()
    return len(devices)


async def _username(store: Store, kind: Kind, holder_id: str) -> str:
    if kind == "officer":
        username = await officer_username(store, holder_id)
        if username is None:
            raise NoSuchHolderError(f"officer {holder_id}: not in officers.csv as imported")
        return username
    if kind == "device" and not await is_device(store, holder_id):
        raise NoSuchHolderError(f"device {holder_id}: not in devices.csv as imported")
    return holder_id
