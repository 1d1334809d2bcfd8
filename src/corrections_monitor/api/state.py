"""What every request needs, built once by ``create_app``."""

from __future__ import annotations

from dataclasses import dataclass, field
from zoneinfo import ZoneInfo

from fastapi import Request
from prometheus_client import CollectorRegistry

from corrections_monitor.api.caseview import CaseShelf
from corrections_monitor.api.hub import Hub
from corrections_monitor.api.lockout import Lockout
from corrections_monitor.api.oidc import OidcDesk
from corrections_monitor.api.passwords import PasswordDesk
from corrections_monitor.clock import Clock
from corrections_monitor.config import Config
from corrections_monitor.store import Store


@dataclass(slots=True)
class ApiState:
    """The store under the API's role, the configuration, and what this process remembers."""

    store: Store
    config: Config
    clock: Clock
    registry: CollectorRegistry
    last_led_s: float  # monotonic; when a daemon was last seen to lead, at first our own start
    hub: Hub = field(default_factory=Hub)
    lockout: Lockout = field(default_factory=Lockout)
    passwords: PasswordDesk = field(default_factory=PasswordDesk)
    cases: CaseShelf = field(default_factory=CaseShelf)
    oidc: OidcDesk = field(init=False)

    def __post_init__(self) -> None:
        self.oidc = OidcDesk(self.config.oidc)

    @property
    def zone(self) -> ZoneInfo:
        return self.config.site.timezone


def state_of(request: Request) -> ApiState:
    """The state of the application that serves this request."""
    state: ApiState = request.app.state.api
    return state
