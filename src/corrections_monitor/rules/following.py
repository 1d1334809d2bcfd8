"""Following episodes: which transitions can be, how grave an episode is now, and what age makes of it."""

from __future__ import annotations

from collections.abc import Sequence

from corrections_monitor.model.cases import CaseSet
from corrections_monitor.model.episodes import Change, Episode, Severity, Transition
from corrections_monitor.model.settings import RulesSettings
from corrections_monitor.rules.deadlines import Deadlines
from corrections_monitor.rules.gathering import REMEMBERED_MS, Gathering
from corrections_monitor.rules.inhibition import HELD_AT_MOST, HELD_BACK_BY, HOLDERS, holder
from corrections_monitor.rules.moves import IllegalMove
from corrections_monitor.rules.records import EndedEpisode, Memory, OpenEpisode
from corrections_monitor.rules.roster import Roster
from corrections_monitor.rules.severity import severity


class Following:
    """The episodes of one memory; what they mean for alerts is told to the gathering."""

    def __init__(
        self, settings: RulesSettings, memory: Memory, deadlines: Deadlines, gathering: Gathering
    ) -> None:
        self._settings = settings
        self._memory = memory
        self._deadlines = deadlines
        self._gathering = gathering
        self._cases = CaseSet()
        self._roster = Roster(self._cases)
        self._holders = {n: t.episode for n, t in memory.open.items() if t.episode.kind in HOLDERS}

    def use(self, cases: CaseSet, roster: Roster) -> None:
        """After a change of cases things weigh differently: those that do change now."""
        self._cases, self._roster = cases, roster
        self._weigh_again(self._memory.now_ms)

    def _weigh_again(self, now_ms: int) -> None:
        for tracked in self._memory.open.values():
            weighs, due_ms = self._grade(tracked.episode, now_ms)
            tracked.change_due_ms = due_ms if weighs == tracked.severity else now_ms
            self._deadlines.arm_age(tracked)

    def move(self, at_ms: int, transition: Transition) -> None:
        """Take in what the engine found out.  Raises IllegalMove for what cannot be."""
        episode = transition.episode
        is_open = episode.episode_id in self._memory.open
        match transition.change:
            case Change.OPENED if not is_open and episode.episode_id not in self._memory.ended:
                self._open(at_ms, episode)
            case Change.UPDATED if is_open:
                self._update(at_ms, episode)
            case Change.UPDATED if episode.ended_ms is not None:
                self._correct(at_ms, episode)
            case Change.CLOSED if is_open:
                self._close(at_ms, episode)
            case change:
                raise IllegalMove(f"episode {episode.episode_id} ({episode.kind}) cannot be {change} now")

    def age(self, at_ms: int, tracked: OpenEpisode) -> None:
        """Time alone changed the episode's severity."""
        self._regrade(at_ms, tracked)
        paged = self._gathering.weigh_by_age(at_ms, tracked)
        if not tracked.severity.pages and self._holder(tracked.episode) is not None:
            self._gathering.hold(at_ms, tracked)
        self._gathering.tell(Change.UPDATED, at_ms, tracked, paged)

    def forget(self, now_ms: int) -> None:
        """Let go of what nothing refers to any more."""
        ended = self._memory.ended
        while ended:
            name = next(iter(ended))  # the one that closed first
            if ended[name].closed_ms + REMEMBERED_MS >= now_ms:
                return
            self._gathering.forget(ended.pop(name))

    def _open(self, at_ms: int, episode: Episode) -> None:
        tracked = OpenEpisode(episode, Severity.INFO, None, alert_id="")
        self._regrade(at_ms, tracked)
        self._memory.open[episode.episode_id] = tracked
        paged = self._gathering.place(at_ms, tracked)
        self._gathering.tell(Change.OPENED, at_ms, tracked, paged)
        if episode.kind in HOLDERS:
            self._holders[episode.episode_id] = episode
            self._weigh_again(at_ms)

    def _update(self, at_ms: int, episode: Episode) -> None:
        tracked = self._memory.open[episode.episode_id]
        tracked.episode = episode
        self._regrade(at_ms, tracked)
        paged = self._gathering.weigh(at_ms, tracked)
        self._gathering.tell(Change.UPDATED, at_ms, tracked, paged)

    def _correct(self, at_ms: int, episode: Episode) -> None:
        known = self._memory.ended.get(episode.episode_id)
        if known is None or known.closed_ms + REMEMBERED_MS < at_ms:
            # Forgotten here: the store knows which alert it belongs to.
            known = EndedEpisode(self._grade(episode, at_ms)[0], at_ms, alert_id="")
        self._gathering.correct(at_ms, episode, known)

    def _close(self, at_ms: int, episode: Episode) -> None:
        tracked = self._memory.open.pop(episode.episode_id)
        tracked.episode = episode
        self._memory.ended[episode.episode_id] = EndedEpisode(tracked.severity, at_ms, tracked.alert_id)
        self._gathering.end(at_ms, tracked)
        if self._holders.pop(episode.episode_id, None) is not None:
            self._weigh_again(at_ms)

    def _regrade(self, at_ms: int, tracked: OpenEpisode) -> None:
        tracked.severity, tracked.change_due_ms = self._grade(tracked.episode, at_ms)
        self._deadlines.arm_age(tracked)

    def _grade(self, episode: Episode, at_ms: int) -> tuple[Severity, int | None]:
        """The episode's severity, and when age alone changes it."""
        person = self._cases.people.get(episode.person_id)
        offices = self._offices(episode)
        weighs, next_age_ms = severity(
            self._settings,
            episode.kind,
            person.level if person is not None else None,
            offices,
            episode.person_id,
            (at_ms if episode.ended_ms is None else episode.ended_ms) - episode.started_ms,
        )
        if self._holder(episode) is not None:
            return min(weighs, HELD_AT_MOST), None
        if next_age_ms is None or episode.ended_ms is not None:
            return weighs, None
        return weighs, episode.started_ms + next_age_ms

    def _offices(self, episode: Episode) -> Sequence[str]:
        return self._roster.chain(self._roster.office_of(episode.person_id, otherwise=episode.office_id))

    def _holder(self, episode: Episode) -> Episode | None:
        if not self._holders or episode.kind not in HELD_BACK_BY:
            return None
        return holder(episode, self._offices(episode), self._holders.values())
