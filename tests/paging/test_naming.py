"""How a message names the person: as is set, on every channel, in single messages and in bundles."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import pytest
from outgoing import MANNER, Outgoing, quick
from receivers import HttpReceiver, MailServer, RunningClock
from town import TOWN, an_episode, opened

from corrections_monitor.config import ChannelOptions, Config, Paging
from corrections_monitor.metrics import Metrics
from corrections_monitor.model.cases import Circle, Person, Zone, ZoneKind
from corrections_monitor.model.episodes import Kind
from corrections_monitor.paging.by_apprise import AppriseChannel
from corrections_monitor.paging.channels import Channel, Ways
from corrections_monitor.paging.mqtt import MqttChannel
from corrections_monitor.paging.notices import Manner
from corrections_monitor.paging.way_out import manner
from corrections_monitor.paging.webhook import WebhookChannel
from corrections_monitor.rules.text import Naming
from corrections_monitor.store import Store

FULL, INITIALS, NUMBER = "王小明", "王某某", "p2"
SECRET = "0123456789abcdef"
KINDS = [Kind.CURFEW, Kind.POWER_OFF, Kind.STRAP_LOOSE]  # an alert each
CASES = replace(
    TOWN,
    people={**TOWN.people, "p2": Person("p2", FULL, TOWN.people["p2"].category, "s2", "own2")},
    zones={"home": Zone("home", f"{FULL}住所", ZoneKind.INCLUSION, "p2", Circle(122.05, 41.1, 150.0))},
)


class Everywhere:
    """All channels of one officer, and what came over them: text of each mail, objects by channel."""

    def __init__(self, outgoing: Outgoing, receiver: HttpReceiver, mail: MailServer) -> None:
        self.outgoing, self.receiver, self.mail = outgoing, receiver, mail
        self.objects: list[dict[str, Any]] = []

    async def publish(self, _topic: str, payload: bytes) -> bool:
        self.objects.append(json.loads(payload))
        return True

    async def told(self, manner: Manner, flood: int, kinds: list[Kind]) -> list[str]:
        """Every mail's text, then what MQTT and the webhook were given, as text."""
        address = f"mailto://127.0.0.1:{self.mail.port}?from=jz@pj.cn&to=li@pj.cn&mode=insecure"
        reason = f"离开“{FULL}住所”312 米"
        moves = [
            opened(replace(an_episode(kind, who="p2", subject=kind, reason=reason), office_id="s2"))
            for kind in kinds
        ]
        await self.outgoing.decide(*moves, urls=(address,), ways=Ways(mqtt=True, webhooks=("police",)))
        hook = WebhookChannel(self.receiver.url, SECRET)
        channels: dict[str, Channel] = {
            "apprise": AppriseChannel(), "mqtt": MqttChannel([self.publish]), "webhook:police": hook,
        }  # fmt: skip
        settings = replace(quick(timeout_s=10), flood_per_minute=flood)
        async with self.outgoing.worker(channels, settings, manner=manner):
            await self.outgoing.settle("sent", "delivered")
        await hook.close()
        texts = [_whole(message) for message in self.mail.mails]
        posts = [json.loads(post.body) for post in self.receiver.posts]
        return texts + [json.dumps(o, ensure_ascii=False) for o in self.objects + posts]


def _whole(message: Any) -> str:
    """Subject and every part."""
    parts = [part.get_content() for part in message.walk() if not part.is_multipart()]
    return "\n".join([message["Subject"], *parts])


@pytest.fixture
def everywhere(
    store: Store, database_url: str, clock: RunningClock, receiver: HttpReceiver, mail: MailServer
) -> Everywhere:
    return Everywhere(Outgoing(store, database_url, clock, Metrics(), cases=CASES), receiver, mail)


@pytest.mark.parametrize(
    ("naming", "shown", "hidden", "in_object"),
    [
        (Naming.FULL, FULL, (), FULL),
        (Naming.INITIALS, INITIALS, (FULL,), INITIALS),
        (Naming.NUMBER, NUMBER, (FULL, INITIALS), None),
    ],
)
@pytest.mark.parametrize("flood", [9, 1], ids=["single", "bundled"])
async def test_the_person_is_named_as_is_set_in_every_channel(
    everywhere: Everywhere,
    naming: Naming,
    shown: str,
    hidden: tuple[str, ...],
    in_object: str | None,
    flood: int,
) -> None:
    """The reason and the zone bear the name as well: it stands nowhere it must not."""
    told = await everywhere.told(replace(MANNER, naming=naming), flood, KINDS)
    objects = everywhere.objects + [json.loads(post.body) for post in everywhere.receiver.posts]
    assert (len(everywhere.mail.mails), len(objects)) == (1 if flood == 1 else 3, 6)
    assert all(shown in text for text in told)
    assert not [text for text in told for name in hidden if name in text]
    assert {o["person_name"] for o in objects} == {in_object}
    assert {o["person_id"] for o in objects} == {NUMBER}


async def test_one_channel_may_be_told_more_than_the_others(everywhere: Everywhere) -> None:
    """The police must know whom to look for; chat and mail need not."""
    manner = replace(MANNER, naming=Naming.NUMBER, naming_by_channel={"webhook:police": Naming.FULL})
    told = await everywhere.told(manner, 9, [Kind.CURFEW])
    assert [FULL in text for text in told] == [False, False, True]


async def test_unless_told_otherwise_objects_name_in_full_and_messages_by_initials(
    everywhere: Everywhere,
) -> None:
    mail, mqtt, webhook = await everywhere.told(manner(Config()), 9, [Kind.CURFEW])
    assert INITIALS in mail
    assert FULL not in mail
    assert {json.loads(text)["person_name"] for text in (mqtt, webhook)} == {FULL}


def test_a_channel_s_own_setting_wins() -> None:
    config = Config(paging=Paging(channels={"mqtt": ChannelOptions(personal_data=Naming.NUMBER)}))
    assert manner(config).naming_by_channel == {"mqtt": Naming.NUMBER, "webhook": Naming.FULL}
