"""Silence and holes in the census: silence.device, silence.position, silence.band, unmonitored (漏管).

One question, asked anew whenever a contact arrives or a deadline passes: which silence, if any, is true
of this person now?  At most one is: device before band before position.  Silence is measured in arrival
time, because that is when we knew.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

from corrections_monitor.detection.law import PersonLaw
from corrections_monitor.detection.ledger import Ledger
from corrections_monitor.detection.reasons import Reasons
from corrections_monitor.model.cases import DeviceKind
from corrections_monitor.model.episodes import Kind, Transition
from corrections_monitor.model.settings import DetectionSettings

UNHEARD_KINDS = (Kind.SILENCE_DEVICE, Kind.UNMONITORED)
SILENCE_KINDS = (Kind.SILENCE_DEVICE, Kind.SILENCE_BAND, Kind.SILENCE_POSITION, Kind.UNMONITORED)
NEVER_MS = 0
"""Value of a "last …" time that never was."""


@dataclass(frozen=True, slots=True)
class Worn:
    """A device now bound: ``contact_ms``/``fix_ms`` are the arrivals last heard, NEVER_MS if never."""

    device_id: str
    kind: DeviceKind
    bound_ms: int
    every_ms: int  # its report interval
    patience_ms: int  # how long it may be silent
    contact_ms: int
    fix_ms: int


class Silence(NamedTuple):
    """A silence that is true now."""

    kind: Kind
    subject: str
    started_ms: int
    template: str


class Finding(NamedTuple):
    """The silence that is true now, if any, and when the answer may next change by time alone.

    ``waits``: the next contact of any device may change it too.
    """

    silence: Silence | None
    next_ms: int
    waits: bool = False


def is_as_wide(one: Kind, other: Kind) -> bool:
    """Whether a silence comes with another one: who hears no device hears no band, and gets no position."""
    return SILENCE_KINDS.index(one) <= SILENCE_KINDS.index(other) and (
        one is other or other not in UNHEARD_KINDS
    )


def patience_ms(report_every_s: int, settings: DetectionSettings) -> int:
    """How long a device may be silent: three of its own intervals, at least five minutes."""
    return int(max(settings.silence_intervals * report_every_s * 1_000, settings.silence_min_ms))


def find_silence(
    law: PersonLaw,
    worn: Sequence[Worn],
    now_ms: int,
    sight_ms: int,
    returned_ms: int,
    settings: DetectionSettings,
) -> Finding:
    """Which silence is true of a person at ``now_ms``.

    ``sight_ms``: since when we ourselves can hear without a break; nobody is silent for time in which
    we were deaf.  ``returned_ms``: when the last silence of all devices ended, or the first of them spoke;
    the first position after it is given its time, and so is a band that another device was heard before.
    """
    judged = law.judged(now_ms)
    if not judged.holds:
        return Finding(None, judged.to_ms)
    # Patience starts anew when judging starts: a device repaired or an order begun is given its time.
    floor_ms = max(judged.from_ms, sight_ms)
    if not worn:
        since = max(judged.from_ms, _last_unbound(law, now_ms))
        return Finding(
            Silence(Kind.UNMONITORED, law.person.person_id, since, "unmonitored.unbound"), judged.to_ms
        )
    heard = [w for w in worn if w.contact_ms != NEVER_MS]
    if not heard:
        first = min(worn, key=lambda w: (w.bound_ms, w.device_id))
        since = max(first.bound_ms, judged.from_ms)
        due = since + settings.unheard_ms
        if now_ms >= due:
            unheard = Silence(Kind.UNMONITORED, first.device_id, since, "unmonitored.unheard")
            return Finding(unheard, judged.to_ms)
        return Finding(None, min(due, judged.to_ms), waits=True)
    dues = {w.device_id: max(w.contact_ms, floor_ms) + w.patience_ms for w in heard}
    all_due = max(dues.values())
    if now_ms >= all_due:
        last = max(heard, key=lambda w: (w.contact_ms, w.device_id))
        return Finding(
            Silence(Kind.SILENCE_DEVICE, last.device_id, last.contact_ms, "silence.device"), judged.to_ms
        )
    pending = [all_due, judged.to_ms]
    waits = False
    if len(heard) > 1:
        bands = sorted((w for w in heard if w.kind is DeviceKind.BAND), key=lambda w: w.contact_ms)
        for band in bands:
            # After a silence of all, who is heard first gives the others their time to come back too.
            due = max(dues[band.device_id], returned_ms + band.patience_ms)
            if now_ms < due:
                pending.append(due)
                waits |= now_ms >= dues[band.device_id]
            elif _another_speaks(band, heard):
                return Finding(
                    Silence(Kind.SILENCE_BAND, band.device_id, band.contact_ms, "silence.band"), min(pending)
                )
            else:
                waits = True
    return _position(heard, max(floor_ms, returned_ms), now_ms, pending, waits)


def _another_speaks(band: Worn, heard: Sequence[Worn]) -> bool:
    """Whether another device was heard when the band should have been.

    A phone that reports seldom is not yet called silent when all devices fell silent together; it must
    have spoken after the band missed a report before the band alone can be blamed.
    """
    missed_ms = band.contact_ms + band.every_ms * 3 // 2
    return any(w.contact_ms > missed_ms for w in heard if w.device_id != band.device_id)


def _position(heard: Sequence[Worn], floor_ms: int, now_ms: int, pending: list[int], waits: bool) -> Finding:
    """Whether a position is owed by somebody who speaks.

    A device that has fallen silent owes no position: one must have been heard within its report interval
    (and half of one for the road) before the position was due, or be heard after it.
    """
    giving = [w for w in heard if w.fix_ms != NEVER_MS] or list(heard)
    due = max(max(w.fix_ms, floor_ms) + w.patience_ms for w in giving)
    if now_ms < due:
        return Finding(None, min(*pending, due), waits)
    if all(w.contact_ms + w.every_ms * 3 // 2 <= due for w in heard):
        return Finding(None, min(pending), waits=True)
    last = max(giving, key=lambda w: (w.fix_ms, w.device_id))
    since = last.fix_ms if last.fix_ms != NEVER_MS else floor_ms
    return Finding(
        Silence(Kind.SILENCE_POSITION, last.device_id, since, "silence.position"), min(pending), waits
    )


def _last_unbound(law: PersonLaw, now_ms: int) -> int:
    ends = [b.span.to_ms for b in law.bindings if b.span.to_ms <= now_ms]
    return max(ends, default=law.judged(now_ms).from_ms)


def settle(
    out: list[Transition],
    ledger: Ledger,
    law: PersonLaw,
    finding: Finding,
    at_ms: int,
    heard_ms: int,
    reasons: Reasons,
) -> None:
    """Make the open silence the one found: close another, open this.

    ``heard_ms``: when the contact came that ends a silence (arrival), or ``at_ms`` where none did.
    """
    silence = finding.silence
    for episode in ledger.of_kind(*SILENCE_KINDS):
        if silence is not None and episode.kind is silence.kind and _same(episode.subject, silence):
            return
        if not law.judged(at_ms).holds:
            ended, why = law.judged(at_ms).from_ms, law.why_not_judged(at_ms)
        elif silence is not None and silence.kind is not episode.kind:
            ended, why = at_ms, "other-silence"
        elif episode.kind is Kind.UNMONITORED and episode.subject == episode.person_id:
            ended, why = at_ms, "bound"
        else:
            ended = heard_ms
            why = "position-again" if episode.kind is Kind.SILENCE_POSITION else "heard-again"
        ledger.close(out, at_ms, (episode.kind, episode.subject), ended, reasons.say(why))
    if silence is not None:
        ledger.open(
            out, at_ms, silence.kind, silence.subject, silence.started_ms,
            reasons.say(silence.template, since_ms=silence.started_ms, device=silence.subject),
            evidence={"last_contact": silence.started_ms},
        )  # fmt: skip


def _same(subject: str, silence: Silence) -> bool:
    """One device may take over from another as the last heard without the silence being a new one."""
    return subject == silence.subject or silence.kind in (Kind.SILENCE_DEVICE, Kind.SILENCE_POSITION)
