"""What a device says of itself: strap, case, power, interference, help, battery.  One table.

An event opens its kind and closes the kinds it is the opposite of.  Tampers and calls for help are
closed by a person's resolution only.  Events are taken in order of arrival but dated by event time; one
that is older than its opposite is history: opened and closed at once, marked late.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from corrections_monitor.detection.law import PersonLaw
from corrections_monitor.detection.ledger import Ledger
from corrections_monitor.detection.reasons import Reasons
from corrections_monitor.model.episodes import CLOSED_BY_A_PERSON, Kind, Transition
from corrections_monitor.model.settings import DetectionSettings, Language
from corrections_monitor.model.telemetry import BandEvent
from corrections_monitor.model.times import DAY_MS

OPENS: Mapping[BandEvent, Kind] = {
    BandEvent.STRAP_CUT: Kind.STRAP_CUT,
    BandEvent.STRAP_LOOSE: Kind.STRAP_LOOSE,
    BandEvent.CASE_OPEN: Kind.CASE_OPEN,
    BandEvent.POWER_OFF: Kind.POWER_OFF,
    BandEvent.SHIELDED: Kind.SHIELDED,
    BandEvent.JAMMED: Kind.JAMMED,
    BandEvent.SEPARATED: Kind.SEPARATED,
    BandEvent.SOS: Kind.SOS,
    BandEvent.BATTERY_LOW: Kind.BATTERY_LOW,
    BandEvent.BATTERY_CRITICAL: Kind.BATTERY_CRITICAL,
}
CLOSES: Mapping[BandEvent, tuple[Kind, ...]] = {
    BandEvent.STRAP_OK: (Kind.STRAP_LOOSE,),
    BandEvent.POWER_ON: (Kind.POWER_OFF,),
    BandEvent.UNSHIELDED: (Kind.SHIELDED,),
    BandEvent.UNJAMMED: (Kind.JAMMED,),
    BandEvent.REJOINED: (Kind.SEPARATED,),
    BandEvent.CHARGING: (Kind.BATTERY_LOW, Kind.BATTERY_CRITICAL),
}
DECLARED_KINDS = frozenset(OPENS.values())
STRAP_EVENTS = frozenset({BandEvent.STRAP_CUT, BandEvent.STRAP_LOOSE})
REFIT_AFTER = 2  # strap alerts within a day that make refitting the proposal

_WHY_CLOSED = {
    BandEvent.STRAP_OK: "strap-ok",
    BandEvent.CHARGING: "charging",
}


@dataclass(slots=True)
class DeviceMemory:
    """What must be remembered of one device's events."""

    straps: list[int] = field(default_factory=list)  # event times of strap alerts, recent ones
    over_ms: dict[str, int] = field(default_factory=dict)  # per kind: newest event that closes it
    charging_pct: int | None = None  # on the charger: the most it has had since


class Band:
    """Judges the events and battery values of one device."""

    def __init__(self, settings: DetectionSettings, reasons: Reasons) -> None:
        self._settings = settings
        self._reasons = reasons
        self._declared = "设备上报" if settings.language is Language.ZH else "declared by the device"

    def hear(
        self,
        out: list[Transition],
        ledger: Ledger,
        law: PersonLaw,
        memory: DeviceMemory,
        device_id: str,
        event: BandEvent,
        t_ms: int,
        percent: int,
        at_ms: int,
    ) -> None:
        """Take one event; ``percent`` is its battery value or NO_BATTERY."""
        if law.judged(t_ms).holds:
            kind = OPENS.get(event)
            if kind is not None:
                self._open(out, ledger, memory, device_id, event, kind, t_ms, percent, at_ms)
        if event is BandEvent.CHARGING:
            memory.charging_pct = max(percent, 0)
        for kind in CLOSES.get(event, ()):
            memory.over_ms[kind] = max(memory.over_ms.get(kind, 0), t_ms)
            present = ledger.open_ones.get((kind, device_id))
            if present is not None and present.started_ms <= t_ms:
                why = _WHY_CLOSED.get(event, "opposite")
                ledger.close(out, at_ms, (kind, device_id), t_ms, self._reasons.say(why))

    def _open(
        self,
        out: list[Transition],
        ledger: Ledger,
        memory: DeviceMemory,
        device_id: str,
        event: BandEvent,
        kind: Kind,
        t_ms: int,
        percent: int,
        at_ms: int,
    ) -> None:
        if event in STRAP_EVENTS:
            memory.straps = [s for s in memory.straps if s > t_ms - DAY_MS] + [t_ms]
        reason = self._sentence(kind, device_id, t_ms, percent)
        present = ledger.open_ones.get((kind, device_id))
        if present is not None:
            if event in STRAP_EVENTS and len(memory.straps) >= REFIT_AFTER:
                reason = self._repeated(device_id, memory)
            elif t_ms >= present.started_ms:  # the earliest is the one to tell of
                return
            ledger.amend(
                out, at_ms, present, started_ms=min(t_ms, present.started_ms), reason=reason + ledger.note
            )
            return
        if event in STRAP_EVENTS and len(memory.straps) >= REFIT_AFTER:
            reason = self._repeated(device_id, memory)
        over_ms = memory.over_ms.get(kind, 0)
        is_history = over_ms >= t_ms and kind not in CLOSED_BY_A_PERSON
        ledger.open(
            out, at_ms, kind, device_id, t_ms, reason,
            late=is_history or at_ms - t_ms > self._settings.late_ms,
            evidence={"device": device_id, "event": event.name.lower(), "t": t_ms},
        )  # fmt: skip
        if is_history:
            ledger.close(out, at_ms, (kind, device_id), over_ms, self._reasons.say("opposite"))

    def battery(
        self,
        out: list[Transition],
        ledger: Ledger,
        law: PersonLaw,
        memory: DeviceMemory | None,
        device_id: str,
        percent: int,
        t_ms: int,
        at_ms: int,
    ) -> None:
        """Take a battery value in percent.  On the charger, and until it falls again, none is too low."""
        is_charging = False
        if memory is not None and memory.charging_pct is not None:
            is_charging = memory.charging_pct <= percent <= self._settings.battery_low_pct
            memory.charging_pct = percent if is_charging else None
        for kind, limit in (
            (Kind.BATTERY_LOW, self._settings.battery_low_pct),
            (Kind.BATTERY_CRITICAL, self._settings.battery_critical_pct),
        ):
            present = ledger.open_ones.get((kind, device_id))
            if percent > limit:
                if present is not None and t_ms >= present.started_ms:
                    ledger.close(out, at_ms, (kind, device_id), t_ms, self._reasons.say("charging"))
            elif present is None and not is_charging and law.judged(t_ms).holds:
                ledger.open(
                    out, at_ms, kind, device_id, t_ms, self._sentence(kind, device_id, t_ms, percent),
                    late=at_ms - t_ms > self._settings.late_ms,
                    evidence={"device": device_id, "battery_pct": percent, "t": t_ms},
                )  # fmt: skip

    def contact(self, out: list[Transition], ledger: Ledger, device_id: str, t_ms: int, at_ms: int) -> None:
        """A device that speaks again is on: an orderly shutdown is over."""
        present = ledger.open_ones.get((Kind.POWER_OFF, device_id))
        if present is not None and t_ms > present.started_ms:
            ledger.close(out, at_ms, (Kind.POWER_OFF, device_id), t_ms, self._reasons.say("heard-again"))

    def _repeated(self, device_id: str, memory: DeviceMemory) -> str:
        return self._reasons.say("strap.cut.again", device=device_id, count=len(memory.straps))

    def _sentence(self, kind: Kind, device_id: str, t_ms: int, percent: int) -> str:
        known = f"{percent} %" if percent >= 0 else self._declared
        return self._reasons.say(
            kind.value, since_ms=t_ms, device=device_id, how=self._declared, percent=known
        )
