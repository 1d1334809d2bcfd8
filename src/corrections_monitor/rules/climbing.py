"""Climbing an alert's ladder (逐级上报): which step fires when, and who is told.  CONTRACT §3.

A step's offset counts from the first page of its round.  While nothing is open the ladder is halted and
its clock stands still: when an episode joins the alert again, the round's start moves by the length of
the halt, so that every rung still gets its full time and none is passed over.  After the last step that
step repeats until somebody answers; a repeat is a page and a note, no line of the episode log.
"""

from __future__ import annotations

from dataclasses import replace

from corrections_monitor.model.alerts import Alert, Line, Page, Purpose, Why
from corrections_monitor.model.episodes import Kind
from corrections_monitor.model.settings import LadderStep, RulesSettings, Steps
from corrections_monitor.rules.ladders import ladder
from corrections_monitor.rules.moves import Climb, Ladder, ladder_after
from corrections_monitor.rules.outcome import Noted, Outcome, TimelineNote
from corrections_monitor.rules.records import AlertRecord
from corrections_monitor.rules.roster import Roster


class Ledger:
    """Collects what follows from one call of ``AlertBook.advance``."""

    def __init__(self) -> None:
        self.lines: list[Line] = []
        self.pages: list[Page] = []
        self.notes: list[TimelineNote] = []
        self.alerts: dict[str, Alert] = {}

    def note(self, record: AlertRecord, at_ms: int, what: Noted, *who: str, **detail: str | int) -> None:
        """Add a line to the alert's timeline."""
        self.notes.append(TimelineNote(record.alert.alert_id, at_ms, what, who, detail))

    def touch(self, record: AlertRecord, at_ms: int) -> None:
        """The alert's row has changed."""
        record.alert = replace(record.alert, updated_ms=at_ms)
        self.alerts[record.alert.alert_id] = record.alert

    def outcome(self) -> Outcome:
        """Everything collected."""
        return Outcome(tuple(self.lines), tuple(self.alerts.values()), tuple(self.pages), tuple(self.notes))


class Climber:
    """Moves ladders; what it decides goes into the ledger."""

    def __init__(self, settings: RulesSettings, roster: Roster, ledger: Ledger) -> None:
        self._settings = settings
        self._roster = roster
        self._ledger = ledger

    def start(self, record: AlertRecord, at_ms: int, kind: Kind, why: Why) -> tuple[str, ...]:
        """Begin a new round at step 0; returns who is paged at once, sorted."""
        record.ladder = ladder_after(record.ladder, Climb.START)
        record.alert = replace(
            record.alert, round=record.alert.round + 1, step=0, step_due_ms=at_ms, round_started_ms=at_ms,
            kind=kind, why=why, why_who=record.holder,
        )  # fmt: skip
        record.halted_ms, record.later_ms, record.holder, record.asides = None, None, None, 0
        return self.fire(record, at_ms)

    def fire(self, record: AlertRecord, at_ms: int) -> tuple[str, ...]:
        """Fire the steps that are due and set the next one; returns who is paged, sorted."""
        steps = self._steps(record)
        started_ms = record.alert.round_started_ms
        assert started_ms is not None, "a ladder that fires has a round"
        told: set[str] = set()
        number = record.alert.step
        while number < len(steps) and started_ms + steps[number].after_ms <= at_ms:
            told.update(self._tell(record, steps[number], number, at_ms, Purpose.STEP))
            number += 1
        due_ms = started_ms + steps[number].after_ms if number < len(steps) else None
        record.alert = replace(record.alert, step=number, step_due_ms=due_ms)
        if due_ms is None:
            record.ladder = ladder_after(record.ladder, Climb.LAST_STEP)
            self._ledger.note(record, at_ms, Noted.STOPPED, why="last step")
            self.wait_to_repeat(record, at_ms)
        self._ledger.touch(record, at_ms)
        return tuple(sorted(told))

    def wait_to_repeat(self, record: AlertRecord, at_ms: int) -> None:
        """The ladder is spent and nobody has answered: its last step is due again after a while."""
        record.later_ms = at_ms + self._settings.repeat_ms if self._settings.repeat_ms else None

    def repeat(self, record: AlertRecord, at_ms: int) -> None:
        """Tell those of the last step once more."""
        record.ladder = ladder_after(record.ladder, Climb.REPEAT)
        steps, number = self._steps(record), record.alert.step
        if not steps:  # An edit has taken this ladder away.
            record.later_ms = None
            return
        self._tell(record, steps[-1], number, at_ms, Purpose.REPEAT)
        record.alert = replace(record.alert, step=number + 1)
        self.wait_to_repeat(record, at_ms)
        self._ledger.touch(record, at_ms)

    def pause(self, record: AlertRecord, at_ms: int, why: str = "ended") -> None:
        """The last episode has ended, or what is open is held back."""
        was, record.ladder = record.ladder, ladder_after(record.ladder, Climb.PAUSE)
        if was is Ladder.CLIMBING:
            record.halted_ms = at_ms
            record.alert = replace(record.alert, step_due_ms=None)
            self._ledger.note(record, at_ms, Noted.STOPPED, why=why)

    def resume(self, record: AlertRecord, at_ms: int) -> None:
        """Something pageable is open again: climb on where the ladder stood, without a page now."""
        record.ladder = ladder_after(record.ladder, Climb.RESUME)
        alert = record.alert
        assert record.halted_ms is not None, "a halted ladder knows since when"
        assert alert.round_started_ms is not None, "a halted ladder has a round"
        started_ms = alert.round_started_ms + at_ms - record.halted_ms
        steps = self._steps(record)
        # A ladder that was shortened by an edit in between has no such step: it ends now.
        due_ms = started_ms + steps[alert.step].after_ms if alert.step < len(steps) else at_ms
        record.halted_ms = None
        record.alert = replace(alert, round_started_ms=started_ms, step_due_ms=due_ms)
        self._ledger.note(record, at_ms, Noted.RESUMED, step=alert.step)

    def answer(self, record: AlertRecord, at_ms: int, officer_id: str, why: str) -> None:
        """An officer has taken the matter on: nobody else is told."""
        was, record.ladder = record.ladder, ladder_after(record.ladder, Climb.ANSWER)
        record.halted_ms, record.later_ms, record.holder = None, None, officer_id
        record.alert = replace(record.alert, step_due_ms=None)
        if was in (Ladder.CLIMBING, Ladder.SPENT):
            self._ledger.note(record, at_ms, Noted.STOPPED, officer_id, why=why)

    def tell_aside(self, record: AlertRecord, at_ms: int, officer_id: str, purpose: Purpose) -> None:
        """Page one officer beside the ladder, if there is still such an officer."""
        if self._roster.knows(officer_id):
            alert = record.alert
            self._ledger.pages.append(
                Page(alert.alert_id, alert.round, record.asides, officer_id, alert.severity, at_ms, purpose)
            )
            record.asides += 1

    def is_suspended(self, record: AlertRecord, at_ms: int) -> bool:
        """Whether nobody is to be paged about the alert's person now."""
        return self._roster.is_suspended(record.alert.person_id, at_ms)

    def follow_person(self, record: AlertRecord, at_ms: int) -> None:
        """An alert belongs to the office that has the person now, from the change of cases on."""
        alert = record.alert
        office_id = self._roster.office_of(alert.person_id, otherwise=alert.office_id)
        if office_id != alert.office_id:
            record.alert = replace(alert, office_id=office_id)
            self._ledger.note(record, at_ms, Noted.HANDED_OVER, office=office_id)
            self._ledger.touch(record, at_ms)

    def _steps(self, record: AlertRecord) -> Steps:
        alert = record.alert
        level = self._roster.level_of(alert.person_id)
        return ladder(self._settings, alert.severity, alert.kind, level, self._roster.chain(alert.office_id))

    def _tell(
        self, record: AlertRecord, step: LadderStep, number: int, at_ms: int, purpose: Purpose
    ) -> tuple[str, ...]:
        alert = record.alert
        detail: dict[str, str | int] = {"round": alert.round, "step": number, "rung": "+".join(step.rungs)}
        # Only a tamper or a call for help can still be climbing then: all else has closed (CONTRACT §1).
        suspended = self.is_suspended(record, at_ms)
        officers = () if suspended else self._on(record, step, at_ms)
        self._ledger.pages.extend(
            Page(alert.alert_id, alert.round, number, who, alert.severity, at_ms, purpose, step.channels)
            for who in officers
        )
        if officers:
            what = Noted.PAGED if purpose is Purpose.STEP else Noted.REPEATED
            self._ledger.note(record, at_ms, what, *officers, **detail)
        elif purpose is Purpose.STEP:  # Once is enough to say that a step has nobody.
            why = "suspended" if suspended else "nobody"
            self._ledger.note(record, at_ms, Noted.SKIPPED, **detail, why=why)
        return officers

    def _on(self, record: AlertRecord, step: LadderStep, at_ms: int) -> tuple[str, ...]:
        """Whom the step tells, sorted; of a drill the one who practises, whatever the step."""
        alert = record.alert
        if record.only is not None:
            return (record.only,) if self._roster.knows(record.only) else ()
        found = (self._roster.resolve(r, alert.person_id, alert.office_id, at_ms) for r in step.rungs)
        return tuple(sorted({officer for officers in found for officer in officers}))
