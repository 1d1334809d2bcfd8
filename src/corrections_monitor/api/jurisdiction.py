"""Who is asking and what is theirs: their own office and all below it, nothing else."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum

from corrections_monitor.model.cases import Role


class Permission(StrEnum):
    """What a role may do within its offices."""

    READ = "read"  # alerts, people, cases, census
    LOCATE = "locate"  # positions, tracks, evidence, the geometry of zones
    ANSWER = "answer"  # acknowledge and resolve
    COMMAND = "command"  # locate now, vibrate, message, interval: down to the wearer
    EDIT_CASES = "edit-cases"  # zones, orders, leaves, suspensions
    MANAGE = "manage"  # duty and devices
    AUDIT = "audit"  # read the audit log
    ACCOUNTS = "accounts"  # others' sessions and second factors
    INSPECT = "inspect"  # look into the quarantine


_WORK = frozenset(
    {
        Permission.READ,
        Permission.LOCATE,
        Permission.ANSWER,
        Permission.COMMAND,
        Permission.EDIT_CASES,
    }
)

PERMISSIONS: Mapping[Role, frozenset[Permission]] = {
    Role.OFFICER: _WORK,
    Role.CHIEF: _WORK | {Permission.MANAGE},
    Role.SUPERVISOR: _WORK | {Permission.MANAGE, Permission.AUDIT, Permission.INSPECT},
    # 三员分立: who manages accounts and devices sees no movements, who audits changes nothing.
    Role.ADMIN: frozenset({Permission.READ, Permission.MANAGE, Permission.ACCOUNTS, Permission.INSPECT}),
    Role.AUDITOR: frozenset({Permission.READ, Permission.LOCATE, Permission.AUDIT, Permission.INSPECT}),
}


@dataclass(frozen=True, slots=True)
class Principal:
    """The officer or service behind a request; ``offices`` is its jurisdiction.

    ``scopes``: what a service may do; None: what the role may.
    """

    principal_id: str
    name: str
    role: Role
    office_id: str
    offices: frozenset[str]
    by_cookie: bool = False
    session_id: int | None = None
    scopes: frozenset[str] | None = None

    def may(self, permission: Permission) -> bool:
        return permission in (PERMISSIONS[self.role] if self.scopes is None else self.scopes)
