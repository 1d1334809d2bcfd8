"""Gathering episodes into alerts: which alert an episode belongs to, and what it means for it.

An episode finds its alert by person and cause (and subject, for causes kept apart by subject):

* an unresolved alert with something open takes it;
* so does an unresolved alert whose last episode ended, if the new one began at most ``rejoin_ms`` after
  that and was found within an hour: nobody is paged again, but a ladder that nobody answered climbs on
  where it stood (``climbing``) as soon as something that pages is open;
* otherwise it opens an alert.  So does a late episode from before a matter that is over.

An alert's severity is the highest it ever had.  Only a rise beyond it pages anew: round + 1, step 0.

An acknowledged alert waits for what follows (``patience``); a drill is an alert of nobody's.

Once resolved, an alert takes nothing more.  Its open episodes run to their own end under it; when one of
them grows graver than what was resolved, nobody knows of that yet: it gets an alert of its own.
"""

from __future__ import annotations

from dataclasses import replace

from corrections_monitor.model.alerts import Alert, AlertState, Answered, Drill, Line, Why, alert_id
from corrections_monitor.model.cases import CaseSet
from corrections_monitor.model.episodes import Cause, Change, Episode, Kind, Severity
from corrections_monitor.model.settings import RulesSettings
from corrections_monitor.model.times import DAY_MS
from corrections_monitor.rules.answering import take_answer
from corrections_monitor.rules.climbing import Climber, Ledger
from corrections_monitor.rules.deadlines import Deadlines
from corrections_monitor.rules.moves import Happening, Ladder, alert_after
from corrections_monitor.rules.outcome import Noted, Outcome
from corrections_monitor.rules.patience import Patience
from corrections_monitor.rules.records import (
    AlertRecord,
    EndedEpisode,
    GroupKey,
    Memory,
    OpenEpisode,
    group_of,
)
from corrections_monitor.rules.roster import Roster

CLIMBS_ON = frozenset({Cause.TAMPER, Cause.SOS})
"""Causes whose ladder goes on after the last episode has ended (CONTRACT §3)."""

REMEMBERED_MS = DAY_MS
"""How long ended episodes, and unresolved alerts without open ones, stay in the book."""

REJOINED_MS_MAX = 3_600_000
"""What was longer than this in being found, such as a day without a word or a journey, is news."""


class Gathering:
    """The alerts of one memory."""

    def __init__(self, settings: RulesSettings, memory: Memory, deadlines: Deadlines) -> None:
        self._settings = settings
        self._memory = memory
        self._deadlines = deadlines
        self._groups: dict[GroupKey, list[str]] = {}
        for record in memory.alerts.values():
            self._groups.setdefault(record.key, []).append(record.alert.alert_id)
        self.begin(Roster(CaseSet()))

    def begin(self, roster: Roster) -> None:
        """Start a call: what follows is looked up in this roster and collected anew."""
        self._roster = roster
        self._ledger = Ledger()
        self._climber = Climber(self._settings, roster, self._ledger)
        self._patience = Patience(self._settings, self._climber, self._ledger)

    def outcome(self) -> Outcome:
        """What followed since ``begin``."""
        return self._ledger.outcome()

    def follow_people(self, at_ms: int) -> None:
        """After a change of cases: alerts belong where their persons now do."""
        for record in self._memory.alerts.values():
            self._climber.follow_person(record, at_ms)

    def place(self, at_ms: int, tracked: OpenEpisode) -> tuple[str, ...]:
        """Find or open the alert of an episode that has just opened; returns who is paged."""
        return self._place(at_ms, tracked, tracked.episode.episode_id)

    def _place(self, at_ms: int, tracked: OpenEpisode, name: str) -> tuple[str, ...]:
        episode = tracked.episode
        record = self._alert_to_join(at_ms, episode)
        if record is None:
            return self._open_alert(at_ms, tracked, name)
        tracked.alert_id = record.alert.alert_id
        record.first_started_ms = min(record.first_started_ms, episode.started_ms)
        if not record.open_ids:
            record.ended_lead = None
            record.alert = replace(record.alert, leading_episode=episode.episode_id)
        record.open_ids.append(episode.episode_id)
        self._ledger.note(record, at_ms, Noted.JOINED, episode=episode.episode_id, kind=episode.kind)
        return self.weigh(at_ms, tracked)

    def weigh(self, at_ms: int, tracked: OpenEpisode) -> tuple[str, ...]:
        """What the severity of an open episode means for its alert; returns who is paged."""
        record = self._memory.alerts[tracked.alert_id]
        alert = record.alert
        if tracked.severity <= alert.severity:
            if tracked.severity.pages:
                self._go_on(at_ms, record)
            return ()
        if alert.state is AlertState.RESOLVED:
            return self._leave_resolved(at_ms, record, tracked)
        episode = tracked.episode
        record.alert = replace(alert, severity=tracked.severity, leading_episode=episode.episode_id)
        detail = {"episode": episode.episode_id, "severity": str(tracked.severity)}
        if record.holder is not None:
            detail["despite"] = record.holder
        self._ledger.note(record, at_ms, Noted.RAISED, **detail)
        if not tracked.severity.pages:
            return ()
        record.alert = replace(record.alert, state=alert_after(alert.state, Happening.WORSEN))
        return self._start(at_ms, record, episode.kind, Why.WORSENED)

    def weigh_by_age(self, at_ms: int, tracked: OpenEpisode) -> tuple[str, ...]:
        """The same for a change by age alone; a step of the same moment fires with it: one line."""
        paged = self.weigh(at_ms, tracked)
        record = self._memory.alerts[tracked.alert_id]
        leads = record.alert.leading_episode == tracked.episode.episode_id
        if leads and record.alert.step_due_ms == at_ms:
            paged = self._climber.fire(record, at_ms)
            self._deadlines.arm_alert(record)
        return paged

    def hold(self, at_ms: int, tracked: OpenEpisode) -> None:
        """The episode is held back: where it was all that paged, the ladder waits."""
        record = self._memory.alerts[tracked.alert_id]
        if not any(self._memory.open[name].severity.pages for name in record.open_ids):
            self._climber.pause(record, at_ms, why="held back")

    def end(self, at_ms: int, tracked: OpenEpisode) -> None:
        """The episode is over: its alert goes on with the others, or its ladder halts."""
        episode = tracked.episode
        record = self._memory.alerts[tracked.alert_id]
        record.open_ids.remove(episode.episode_id)
        record.remembered += 1
        record.last_closed_ms = at_ms
        record.last_ended_ms = max(record.last_ended_ms, episode.ended_ms or at_ms)
        self._ledger.note(record, at_ms, Noted.EPISODE_ENDED, episode=episode.episode_id)
        if record.open_ids:
            self._pass_the_lead(record)
        else:
            record.ended_lead, record.ended_lead_severity = episode, tracked.severity
            # Its reason stays what happened, not that it is over.
            record.alert = replace(record.alert, leading_episode=episode.episode_id)
            if record.alert.cause not in CLIMBS_ON:
                self._climber.pause(record, at_ms)
        self.tell(Change.CLOSED, at_ms, tracked, ())
        self._drop_if_over(record)

    def correct(self, at_ms: int, episode: Episode, known: EndedEpisode) -> None:
        """Late data moved the times of an episode that is over; its severity stays as it was told."""
        record = self._memory.alerts.get(known.alert_id)
        if record is not None:
            record.first_started_ms = min(record.first_started_ms, episode.started_ms)
            record.last_ended_ms = max(record.last_ended_ms, episode.ended_ms or at_ms)
            if record.ended_lead is not None and record.alert.leading_episode == episode.episode_id:
                record.ended_lead = episode
            self._ledger.touch(record, at_ms)
        self._ledger.lines.append(Line(Change.UPDATED, at_ms, episode, known.severity, (), known.alert_id))

    def forget(self, known: EndedEpisode) -> None:
        """An ended episode is forgotten; its alert too, when it was the last that kept it here."""
        record = self._memory.alerts.get(known.alert_id)
        if record is not None:
            record.remembered -= 1
            self._drop_if_over(record)

    def tell(self, change: Change, at_ms: int, tracked: OpenEpisode, paged: tuple[str, ...]) -> None:
        """Write the line of an episode and bring its alert up to date."""
        episode = tracked.episode
        self._ledger.lines.append(Line(change, at_ms, episode, tracked.severity, paged, tracked.alert_id))
        record = self._memory.alerts[tracked.alert_id]
        lead = self._memory.open.get(record.alert.leading_episode)
        if lead is not None:
            record.alert = replace(record.alert, reason=lead.episode.reason)
        self._ledger.touch(record, at_ms)

    def answer(self, at_ms: int, answered: Answered) -> None:
        """An officer has said something of an alert."""
        record = self._memory.alerts.get(answered.alert_id)
        if record is None:
            return  # Over and forgotten here; the store has written the answer down.
        take_answer(record, at_ms, answered, self._climber, self._patience, self._ledger)
        self._deadlines.arm_alert(record)
        self._drop_if_over(record)

    def climb(self, at_ms: int, record: AlertRecord) -> None:
        """Something about the alert is due; a step is told on the leading episode, if it reached anyone."""
        paged = self._act(at_ms, record)
        self._deadlines.arm_alert(record)
        if paged and not record.alert.drill:
            episode, weighs = self._lead(record)
            self._ledger.lines.append(
                Line(Change.UPDATED, at_ms, episode, weighs, paged, record.alert.alert_id)
            )
        self._drop_if_over(record)

    def begin_drill(self, at_ms: int, drill: Drill) -> None:
        """An officer is to practise: an alert that nothing but an answer or its time ends."""
        record = AlertRecord(
            _new_alert(
                drill.alert_id, "", drill.office_id, drill.cause, drill.drill_id, drill.severity, at_ms,
                drill.reason, leading_episode="", kind=drill.kind, late=False, drill=True,
            ),
            Ladder.IDLE, first_started_ms=at_ms, only=drill.officer_id, ends_ms=max(drill.ends_ms, at_ms + 1),
        )  # fmt: skip
        self._keep(record)
        self._ledger.note(record, at_ms, Noted.OPENED, kind=drill.kind, severity=str(drill.severity))
        self._start(at_ms, record, drill.kind, Why.OPENED)

    def _act(self, at_ms: int, record: AlertRecord) -> tuple[str, ...]:
        """Do what is due; returns who is paged by a step of the ladder."""
        if record.ends_ms is not None and record.ends_ms <= at_ms:
            self._end_drill(at_ms, record)
        elif record.alert.step_due_ms is not None:
            return self._climber.fire(record, at_ms)
        elif not self._lasts(record):
            record.later_ms = None
        elif record.ladder is Ladder.SPENT:
            self._climber.repeat(record, at_ms)
        else:
            kind = record.alert.kind if record.alert.drill else self._lead(record)[0].kind
            return self._patience.end(record, at_ms, kind)
        return ()

    def _go_on(self, at_ms: int, record: AlertRecord) -> None:
        """Something that pages is open in the alert: what had come to rest since the last goes on."""
        if record.ladder is Ladder.HALTED:
            self._climber.resume(record, at_ms)
        elif record.later_ms is not None:
            return
        elif record.ladder is Ladder.SPENT:
            self._climber.wait_to_repeat(record, at_ms)
        elif record.alert.state is AlertState.ACKNOWLEDGED:
            self._patience.begin(record, at_ms)
        else:
            return
        self._deadlines.arm_alert(record)

    def _lasts(self, record: AlertRecord) -> bool:
        """Whether there is still something to page about."""
        return (
            record.alert.drill
            or record.alert.cause in CLIMBS_ON
            or any(self._memory.open[name].severity.pages for name in record.open_ids)
        )

    def _lead(self, record: AlertRecord) -> tuple[Episode, Severity]:
        """The leading episode, open or the last that ended, and how grave it is."""
        lead = self._memory.open.get(record.alert.leading_episode)
        if lead is not None:
            return lead.episode, lead.severity
        assert record.ended_lead is not None, "an alert has a leading episode"
        return record.ended_lead, record.ended_lead_severity

    def _end_drill(self, at_ms: int, record: AlertRecord) -> None:
        state = alert_after(record.alert.state, Happening.RESOLVE)
        record.alert = replace(record.alert, state=state, step_due_ms=None)
        record.ends_ms, record.later_ms = None, None
        self._ledger.note(record, at_ms, Noted.DRILL_ENDED)
        self._ledger.touch(record, at_ms)

    def _leave_resolved(self, at_ms: int, record: AlertRecord, tracked: OpenEpisode) -> tuple[str, ...]:
        """An episode that grows graver than what was resolved needs an alert of its own."""
        episode = tracked.episode
        record.open_ids.remove(episode.episode_id)
        if record.open_ids:
            self._pass_the_lead(record)
        self._drop_if_over(record)
        # The moment is part of the name: the episode's plain name may be the resolved alert's.
        return self._place(at_ms, tracked, f"{episode.episode_id}@{at_ms}")

    def _alert_to_join(self, at_ms: int, episode: Episode) -> AlertRecord | None:
        for name in reversed(self._groups.get(group_of(episode), ())):
            record = self._memory.alerts[name]
            if record.alert.state is AlertState.RESOLVED:
                continue
            if record.open_ids:
                return record
            # Late data may tell of something that was over before this matter began.
            is_older = episode.late and episode.started_ms < record.first_started_ms
            rejoins = not is_older and episode.started_ms <= record.last_ended_ms + self._settings.rejoin_ms
            if rejoins and at_ms <= record.last_closed_ms + REJOINED_MS_MAX:
                return record
        return None

    def _open_alert(self, at_ms: int, tracked: OpenEpisode, name: str) -> tuple[str, ...]:
        episode = tracked.episode
        person_id, cause, subject = group_of(episode)
        new_alert_id = alert_id(name, cause, subject)
        office_id = self._roster.office_of(person_id, otherwise=episode.office_id)
        record = AlertRecord(
            _new_alert(
                new_alert_id, person_id, office_id, cause, subject, tracked.severity, at_ms, episode.reason,
                leading_episode=episode.episode_id, kind=episode.kind, late=episode.late,
            ),
            Ladder.IDLE, first_started_ms=episode.started_ms, open_ids=[episode.episode_id],
        )  # fmt: skip
        tracked.alert_id = new_alert_id
        self._keep(record)
        self._ledger.note(
            record, at_ms, Noted.OPENED, episode=episode.episode_id, kind=episode.kind,
            severity=str(tracked.severity),
        )  # fmt: skip
        return self._start(at_ms, record, episode.kind, Why.OPENED) if tracked.severity.pages else ()

    def _keep(self, record: AlertRecord) -> None:
        self._memory.alerts[record.alert.alert_id] = record
        self._groups.setdefault(record.key, []).append(record.alert.alert_id)

    def _pass_the_lead(self, record: AlertRecord) -> None:
        """When the leading episode has ended, the gravest and then oldest open one leads."""
        if record.alert.leading_episode in record.open_ids:
            return
        leads = max(record.open_ids, key=lambda name: self._memory.open[name].severity)
        record.alert = replace(record.alert, leading_episode=leads)

    def _start(self, at_ms: int, record: AlertRecord, kind: Kind, why: Why) -> tuple[str, ...]:
        paged = self._climber.start(record, at_ms, kind, why)
        self._deadlines.arm_alert(record)
        return paged

    def _drop_if_over(self, record: AlertRecord) -> None:
        if record.open_ids:
            return
        is_busy = record.ladder is Ladder.CLIMBING or record.due_ms is not None
        if record.alert.state is AlertState.RESOLVED or not (record.remembered or is_busy):
            name = record.alert.alert_id
            self._memory.alerts.pop(name)
            self._groups[record.key].remove(name)
            if not self._groups[record.key]:
                del self._groups[record.key]


def _new_alert(
    alert_id: str,
    person_id: str,
    office_id: str,
    cause: Cause,
    subject: str,
    severity: Severity,
    at_ms: int,
    reason: str,
    *,
    leading_episode: str,
    kind: Kind,
    late: bool,
    drill: bool = False,
) -> Alert:
    """An alert that nobody has been paged about."""
    return Alert(
        alert_id, person_id, office_id, cause, subject, AlertState.OPEN, severity, at_ms, at_ms, reason,
        late, 0, 0, None, None, leading_episode, kind, drill=drill,
    )  # fmt: skip
