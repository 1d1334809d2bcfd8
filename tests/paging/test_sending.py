"""Each channel against a real server: what arrives there, and how good and bad answers are taken."""

from __future__ import annotations

import asyncio
import hashlib
import hmac
import json
from dataclasses import replace

import aiomqtt
import pytest
from apprise.plugins.custom_json import NotifyJSON
from mqtt_world import Mosquitto, needs_mosquitto
from receivers import HttpReceiver, MailServer, SilentServer, plain

from corrections_monitor.paging.by_apprise import AppriseChannel
from corrections_monitor.paging.channels import Notice
from corrections_monitor.paging.mqtt import MqttChannel
from corrections_monitor.paging.results import Handed
from corrections_monitor.paging.webhook import WebhookChannel
from corrections_monitor.rules.text import PageText

SECRET = "0123456789abcdef"
ALERT = {"alert_id": "a1", "person_name": "王小明", "state": "open"}
TEXT = PageText("【紧急】王某某 离开规定区域", "对象：王某某，红旗司法所\n依据：<b>&312 米\n警情编号：a1")


def notice(address: str = "", officer: str = "李") -> Notice:
    return Notice(officer, "test", address, f"a1-1-0-{officer}-test", ALERT, TEXT)


async def test_a_webhook_gets_the_alert_signed_with_its_secret(receiver: HttpReceiver) -> None:
    channel = WebhookChannel(receiver.url, SECRET)
    result = await channel.send(notice())
    await channel.close()
    (post,) = receiver.posts
    assert result.handed is Handed.DELIVERED
    assert json.loads(post.body) == ALERT
    expected = hmac.new(SECRET.encode(), post.body, hashlib.sha256).hexdigest()
    assert post.headers["x-corrections-signature"] == f"sha256={expected}"
    assert post.headers["idempotency-key"] == "a1-1-0-%E6%9D%8E-test"


@pytest.mark.parametrize(
    ("said", "handed", "retry_after_ms"),
    [
        ("204 No Content", Handed.DELIVERED, None),
        ("503 Busy\r\nRetry-After: 7", Handed.TEMPORARY, 7_000),
        ("429 Slow\r\nRetry-After: Wed, 21 Oct 2026 07:28:00 GMT", Handed.TEMPORARY, None),
        ("500 Oops", Handed.TEMPORARY, None),
        ("404 Not Found", Handed.PERMANENT, None),
        ("401 Unauthorized", Handed.PERMANENT, None),
        ("302 Found\r\nLocation: http://127.0.0.1:1/", Handed.PERMANENT, None),
        (None, Handed.UNCONFIRMED, None),
    ],
)
async def test_how_a_webhooks_answer_is_taken(
    receiver: HttpReceiver, said: str | None, handed: Handed, retry_after_ms: int | None
) -> None:
    receiver.answer = lambda _number: said
    channel = WebhookChannel(receiver.url, SECRET)
    result = await channel.send(notice())
    await channel.close()
    assert (result.handed, result.retry_after_ms) == (handed, retry_after_ms)


async def test_a_webhook_that_is_not_there_is_tried_again_and_a_silent_one_is_unconfirmed(
    silent: SilentServer,
) -> None:
    nobody, mute = (
        WebhookChannel(url, SECRET, timeout_s=0.2)
        for url in ("http://127.0.0.1:1/", f"http://127.0.0.1:{silent.port}/")
    )
    assert (await nobody.send(notice())).handed is Handed.TEMPORARY
    assert (await mute.send(notice())).handed is Handed.UNCONFIRMED


async def test_a_mail_says_it_in_chinese(mail: MailServer) -> None:
    url = f"mailto://127.0.0.1:{mail.port}?from=jz@pj.cn&to=li@pj.cn&mode=insecure"
    result = await AppriseChannel().send(notice(url))
    (received,) = mail.mails
    assert result.handed is Handed.SENT
    assert received["Subject"] == TEXT.title
    assert plain(received).strip() == TEXT.body, "line by line"
    html = received.get_body(("html",)).get_content()
    assert "王某某，红旗司法所<br/>" in html
    assert "&lt;b&gt;" in html, "words, not markup"


async def test_what_is_longer_than_a_provider_takes_is_split_between_alerts(
    receiver: HttpReceiver, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As an SMS gateway with its 160 characters: no link is torn, no alert left out."""
    monkeypatch.setattr(NotifyJSON, "body_maxlen", 160)
    lines = [f"{n}. 【重要】王某某 规定时段外出，22:00 起 https://jz.example.cn/a/{n:064d}" for n in range(9)]
    bundle = replace(
        notice(receiver.url.replace("http", "json")), text=PageText("9 条警情", "\n".join(lines))
    )
    assert (await AppriseChannel().send(bundle)).handed is Handed.SENT
    messages = [json.loads(post.body)["message"] for post in receiver.posts]
    assert len(messages) > 1
    assert [line for message in messages for line in message.splitlines()] == lines


async def test_an_address_nobody_understands_is_given_up() -> None:
    result = await AppriseChannel().send(notice("nonsense"))
    assert result.handed is Handed.PERMANENT


async def test_a_mail_server_that_is_not_there_is_tried_again() -> None:
    result = await AppriseChannel().send(notice("mailto://127.0.0.1:1?from=a@b.cn&to=c@d.cn"))
    assert result.handed is Handed.TEMPORARY


async def test_threads_that_hang_are_bounded(silent: SilentServer) -> None:
    url = f"mailto://127.0.0.1:{silent.port}?from=a@b.cn&to=c@d.cn&mode=insecure&cto=1"
    channel = AppriseChannel(lambda _: 2)
    hanging = [asyncio.create_task(channel.send(notice(url))) for _ in range(2)]
    await asyncio.sleep(0)
    assert (await channel.send(notice(url))).reason == "earlier messages to this provider still hang"
    assert {r.handed for r in await asyncio.gather(*hanging)} == {Handed.TEMPORARY}
    # Their threads have ended: there is room again.
    assert (await channel.send(notice("nonsense"))).handed is Handed.PERMANENT


@needs_mosquitto
async def test_an_officers_topic_gets_the_alert_object(mosquitto: Mosquitto) -> None:
    async with (
        aiomqtt.Client("127.0.0.1", mosquitto.port) as officer,
        aiomqtt.Client("127.0.0.1", mosquitto.port) as daemon,
    ):
        await officer.subscribe("cm/v1/officers/li/page", qos=1)

        async def publish(topic: str, payload: bytes) -> bool:
            await daemon.publish(topic, payload, qos=1)
            return True

        async def endpoint(_topic: str, _payload: bytes) -> bool:
            return False

        result = await MqttChannel([endpoint, publish]).send(notice("cm/v1/officers/li/page"))
        message = await anext(officer.messages)
    assert result.handed is Handed.SENT
    assert isinstance(message.payload, bytes)
    assert json.loads(message.payload) == ALERT


async def test_an_officer_whom_no_road_reaches_is_tried_again() -> None:
    async def nobody(_topic: str, _payload: bytes) -> bool:
        return False

    assert (await MqttChannel([nobody, nobody]).send(notice("t"))).handed is Handed.TEMPORARY
