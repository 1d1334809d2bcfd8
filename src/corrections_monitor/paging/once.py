"""Publishing to the broker from a process that holds no session with it: one connection, one message."""

from __future__ import annotations

import ssl
from urllib.parse import unquote, urlsplit

import aiomqtt

from corrections_monitor.config import Mqtt
from corrections_monitor.paging.mqtt import Publish

_DEFAULT_PORTS = {"mqtt": 1883, "mqtts": 8883}


def publish_once(mqtt: Mqtt) -> Publish | None:
    """A ``Publish`` over the configured broker; None without one."""
    if mqtt.url is None:
        return None
    parts = urlsplit(mqtt.url)
    tls = ssl.create_default_context(cafile=str(mqtt.ca) if mqtt.ca else None)

    async def publish(topic: str, payload: bytes) -> bool:
        try:
            async with aiomqtt.Client(
                parts.hostname or "",
                parts.port or _DEFAULT_PORTS[parts.scheme],
                username=unquote(parts.username) if parts.username else None,
                password=unquote(parts.password) if parts.password else None,
                tls_context=tls if parts.scheme == "mqtts" else None,
                timeout=5,
            ) as client:
                await client.publish(topic, payload, qos=1)
        except (aiomqtt.MqttError, OSError):
            return False
        return True

    return publish
