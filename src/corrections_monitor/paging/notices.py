"""From a claimed page to what is sent: the alert object of CONTRACT §6 and the text of the page."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from urllib.parse import quote
from zoneinfo import ZoneInfo

from corrections_monitor.api.render import Json, alert_object, bare_alert
from corrections_monitor.clock import Clock
from corrections_monitor.links import PATH, Link, write_link
from corrections_monitor.model.alerts import Page, Purpose, Why
from corrections_monitor.model.episodes import Cause, Kind, Severity
from corrections_monitor.model.settings import Language
from corrections_monitor.model.times import HOUR_MS, MINUTE_MS, format_time
from corrections_monitor.paging.channels import Notice, particular
from corrections_monitor.rules.digest import digest_text
from corrections_monitor.rules.text import (
    Naming,
    PageFacts,
    PageText,
    bundle_text,
    discreet,
    named,
    page_text,
)
from corrections_monitor.rules.whereabouts import Position, surroundings, where_text
from corrections_monitor.store import ClaimedPage, Store
from corrections_monitor.store.api_digests import digest_of
from corrections_monitor.store.links import link_key
from corrections_monitor.store.notices import AlertToTell, alert_to_tell

LATE_AFTER_MS = 10 * MINUTE_MS
"""A page that is sent so long after it was due (we were away, a channel was dead) says so: 补报."""

# Of these a position says nothing, and after an order has ended none is told.
_PLACELESS = frozenset({Cause.ORDER, Cause.DATA, Cause.SYSTEM})


@dataclass(frozen=True, slots=True)
class Manner:
    """How pages are worded: language, how persons are named (``naming_by_channel`` where it differs), civil
    time, and the console's address as officers reach it (None: no links)."""

    language: Language
    naming: Naming
    zone: ZoneInfo
    public_url: str | None = None
    link_expires_ms: int = 12 * HOUR_MS
    naming_by_channel: Mapping[str, Naming] = field(default_factory=dict)

    def link(self, alert_id: str) -> str:
        """Where the alert can be opened; empty without an address."""
        if self.public_url is None:
            return ""
        return f"{self.public_url.rstrip('/')}/#/board?alert={quote(alert_id, safe='')}"


class Notices:
    """Reads what a page tells at the moment of sending, so that it says what is so now."""

    def __init__(self, store: Store, manner: Manner, clock: Clock) -> None:
        self._store = store
        self._manner = manner
        self._clock = clock
        self._key: bytes | None = None
        self._reading_key = asyncio.Lock()

    async def of(self, message: Sequence[ClaimedPage]) -> Notice:
        """The notice of a claimed page, or of several to one officer over one channel.  Raises LookupError
        when an alert is gone.

        Text and alert object name the person as is set for the channel.  Of a bundle there is a text alone:
        it is for channels that people read.
        """
        first = message[0]
        naming = particular(first.channel, self._manner.naming_by_channel) or self._manner.naming
        manner = replace(self._manner, naming=naming)
        digests = [
            await self._digest(claimed.page, manner)
            for claimed in message
            if claimed.page.purpose is Purpose.DIGEST
        ]
        told = [
            await self._told(claimed.page, manner)
            for claimed in message
            if claimed.page.purpose is not Purpose.DIGEST
        ]
        texts = [text for _, text in digests]
        if len(told) == 1:
            texts.insert(0, page_text(told[0][1], manner.language, naming, manner.zone))
        elif told:
            texts.insert(0, bundle_text([each for _, each in told], manner.language, naming, manner.zone))
        alert = (
            discreet_object(alert_object(told[0][0].alert, manner.zone, sees_locations=True), naming)
            if told
            else digests[0][0]
        )
        return Notice(
            officer_id=first.page.officer_id,
            channel=first.channel,
            address=first.address,
            key=first.idempotency_key,
            alert=alert,
            text=PageText(
                texts[0].title, "\n\n".join([texts[0].body, *(f"{t.title}\n{t.body}" for t in texts[1:])])
            ),
        )

    async def _digest(self, page: Page, manner: Manner) -> tuple[Json, PageText]:
        """The digest as our own topic is given it, shaped as an alert that wants no answer, and in words."""
        digest = await digest_of(self._store, page.alert_id)
        link = f"{manner.public_url.rstrip('/')}/#/offices/digest" if manner.public_url else ""
        text = digest_text(digest, manner.language, manner.naming, manner.zone, link)
        at = format_time(digest.made_ms, manner.zone)
        told = bare_alert(page.alert_id, digest.office_id, page.severity, at, at, text.title)
        return told | {"state": "resolved", "kinds": [], "digest": text.body}, text

    async def _told(self, page: Page, manner: Manner) -> tuple[AlertToTell, PageFacts]:
        found, now_ms = await alert_to_tell(self._store, page.alert_id), self._clock.wall_ms()
        if now_ms - page.due_ms > LATE_AFTER_MS:
            found = replace(found, alert=replace(found.alert, alert=found.alert.alert | {"late": True}))
        facts = facts_of(found, page.step, manner, now_ms)
        link = await self._answer_link(page, now_ms)
        # One link for an alert: whoever has the one that answers needs no other.
        return found, replace(facts, purpose=page.purpose, answer_link=link, link="" if link else facts.link)

    async def _answer_link(self, page: Page, now_ms: int) -> str:
        """The link by which the officer can acknowledge; empty where there is nothing to acknowledge.  The
        same for every attempt of the page, so that it counts once."""
        url = self._manner.public_url
        if url is None or page.purpose not in (Purpose.STEP, Purpose.REPEAT):
            return ""
        async with self._reading_key:  # at first all want it at once
            self._key = self._key or await link_key(self._store, now_ms)
        link = Link(page.alert_id, page.officer_id, page.due_ms + self._manner.link_expires_ms)
        return url.rstrip("/") + PATH + write_link(self._key, link)


def discreet_object(alert: Json, naming: Naming) -> Json:
    """The alert object with the person named as is set, in the reasons too."""
    name, person_id = alert["person_name"] or "", alert["person_id"] or ""
    who = named(person_id, name, naming)

    def discreetly(part: Json) -> Json:
        return {**part, "reason": discreet(part["reason"], name, who, naming)}

    shown = (who or None) if naming is not Naming.NUMBER else None
    return discreetly(alert) | {"person_name": shown, "episodes": list(map(discreetly, alert["episodes"]))}


def facts_of(found: AlertToTell, step: int, manner: Manner, now_ms: int) -> PageFacts:
    """What a page at this step of the ladder tells of the alert."""
    row, episodes = found.alert.alert, found.alert.episodes
    holder, before = row["resolved_by"] or row["acknowledged_by"] or "", row["round_why_who"] or ""
    leads = [e for e in episodes if e["episode_id"] == row["leading_episode"]]
    kinds = [Kind(e["kind"]) for e in leads + [e for e in episodes if e["ended_ms"] is None]]
    return PageFacts(
        alert_id=row["alert_id"],
        kinds=tuple(dict.fromkeys(kinds or [Kind(row["kind"])])),
        severity=Severity(row["severity"]),
        person_id=row["person_id"],
        person_name=row["person_name"] or "",
        office_name=found.office_name,
        since_ms=min((e["started_ms"] for e in leads or episodes), default=row["opened_ms"]),
        reason=row["reason"],
        step=step,
        where=_where(found, leads[0]["zone_id"] if leads else None, manner, now_ms),
        link=manner.link(row["alert_id"]),
        late=row["late"],
        drill=row["drill"],
        round=row["round"],
        why=Why(row["round_why"]),
        why_who=found.officers.get(before, before),
        holder=found.officers.get(holder, holder),
    )


def _where(found: AlertToTell, zone_id: str | None, manner: Manner, now_ms: int) -> str:
    row, fix = found.alert.alert, found.alert.position
    if fix is None or Cause(row["cause"]) in _PLACELESS:
        return ""
    around = surroundings(found.zones, row["person_id"], found.offices, zone_id)
    position = Position(fix["lon"], fix["lat"], fix["acc_m"], fix["t_ms"])
    return where_text(position, around, manner.language, manner.zone, now_ms)
