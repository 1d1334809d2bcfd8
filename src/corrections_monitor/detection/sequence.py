"""Missing messages: data.gap, from the numbers devices put on them.

A run of numbers that is not filled within two report intervals becomes one episode; it closes when the
last of them has come, or after 24 h.  A lower number with a newer time is a restart of the device.
"""

from __future__ import annotations

from collections.abc import Sequence as Sequence_
from dataclasses import dataclass, field

from corrections_monitor.detection.law import PersonLaw
from corrections_monitor.detection.ledger import Ledger
from corrections_monitor.detection.reasons import Reasons
from corrections_monitor.model.episodes import Kind, Transition
from corrections_monitor.model.settings import DetectionSettings
from corrections_monitor.model.times import OPEN_END_MS

MAX_RUNS = 64  # per device; beyond this the oldest is given up


@dataclass(slots=True)
class Run:
    """Numbers ``first`` to ``last`` that have not come; ``left`` are the parts still missing."""

    first: int
    last: int
    after_ms: int  # event time of the message before the run
    noticed_ms: int  # arrival of the message after it
    wait_ms: int  # two report intervals of the device then
    left: list[tuple[int, int]]
    told: bool = False

    @property
    def subject_part(self) -> str:
        return f"{self.first}-{self.last}"


@dataclass(slots=True)
class Runs:
    """The missing runs of one device."""

    runs: list[Run] = field(default_factory=list)


class Sequence:
    """Follows the message numbers of one device."""

    def __init__(self, settings: DetectionSettings, reasons: Reasons) -> None:
        self._settings = settings
        self._reasons = reasons

    def take(
        self,
        out: list[Transition],
        missing: Sequence_[tuple[Ledger, Runs]],
        device_id: str,
        seq: int,
        t_ms: int,
        last_seq: int,
        last_t_ms: int,
        interval_ms: int,
        at_ms: int,
        worn_throughout: bool,
    ) -> int:
        """Take a message number; return the new highest number.  ``last_seq`` is -1 at first.

        ``worn_throughout``: whether somebody wore the device ever since its last message; what it counted in
        a drawer is missing to nobody.
        ``missing``: what is missing to the person who wears the device, then to those who wore it before.
        """
        if last_seq < 0 or seq == last_seq + 1:
            return seq
        # Asked first: after a restart what is sent again from before it carries a higher number.
        if any(self._fill(out, ledger, runs, device_id, seq, at_ms) for ledger, runs in missing):
            return last_seq
        if seq > last_seq and not worn_throughout:
            return seq
        if seq > last_seq:
            ledger, runs = missing[0]
            wait_ms = int(self._settings.gap_intervals * interval_ms)
            runs.runs.append(Run(last_seq + 1, seq - 1, last_t_ms, at_ms, wait_ms, [(last_seq + 1, seq - 1)]))
            for run in runs.runs[:-MAX_RUNS]:
                self._close(out, ledger, device_id, run, at_ms, "given-up")
            del runs.runs[:-MAX_RUNS]
            return seq
        return seq if t_ms > last_t_ms else last_seq

    def _fill(
        self, out: list[Transition], ledger: Ledger, runs: Runs, device_id: str, seq: int, at_ms: int
    ) -> bool:
        for run in runs.runs:
            for i, (a, b) in enumerate(run.left):
                if a <= seq <= b:
                    run.left[i : i + 1] = [p for p in ((a, seq - 1), (seq + 1, b)) if p[0] <= p[1]]
                    if not run.left:
                        runs.runs.remove(run)
                        self._close(out, ledger, device_id, run, at_ms, "filled")
                    return True
        return False

    def tick(
        self,
        out: list[Transition],
        ledger: Ledger,
        law: PersonLaw,
        runs: Runs,
        device_id: str,
        now_ms: int,
    ) -> None:
        """Tell runs that have waited long enough, give up those a day old."""
        for run in list(runs.runs):
            if not run.told and now_ms >= run.noticed_ms + run.wait_ms:
                run.told = True
                if law.judged(run.noticed_ms).holds and law.judged(now_ms).holds:
                    ledger.open(
                        out, now_ms, Kind.DATA_GAP, f"{device_id}:{run.subject_part}", run.after_ms,
                        self._reasons.say("data.gap", device=device_id, first=run.first, last=run.last),
                        evidence={"device": device_id, "first": run.first, "last": run.last},
                    )  # fmt: skip
            if now_ms >= run.noticed_ms + self._settings.gap_close_ms:
                runs.runs.remove(run)
                self._close(out, ledger, device_id, run, now_ms, "given-up")

    def next_due_ms(self, runs: Runs) -> int:
        """When ``tick`` next has something to do."""
        return min(
            (r.noticed_ms + (self._settings.gap_close_ms if r.told else r.wait_ms) for r in runs.runs),
            default=OPEN_END_MS,
        )

    def _close(
        self, out: list[Transition], ledger: Ledger, device_id: str, run: Run, at_ms: int, why: str
    ) -> None:
        key = (Kind.DATA_GAP, f"{device_id}:{run.subject_part}")
        ledger.close(out, at_ms, key, at_ms, self._reasons.say(why))
