"""The ways in as configured: a session with a broker, the devices' own endpoint, both or either."""

from __future__ import annotations

import hmac
import ssl
from urllib.parse import unquote, urlsplit

from corrections_monitor.clock import Clock
from corrections_monitor.config import DeviceEndpoint as EndpointSettings
from corrections_monitor.config import Mqtt, Tls
from corrections_monitor.config_schema import MqttVersion
from corrections_monitor.ingest.broker import BrokerSession
from corrections_monitor.ingest.endpoint import Authenticate, DeviceEndpoint
from corrections_monitor.ingest.frames import Version
from corrections_monitor.ingest.inbox import Inbox

CLIENT_ID = "corrections-monitor"
_VERSIONS = {MqttVersion.AUTO: None, MqttVersion.V5: Version.V5, MqttVersion.V311: Version.V311}


def broker_session(mqtt: Mqtt, inbox: Inbox, clock: Clock) -> BrokerSession | None:
    """The session with the broker, not yet run; None without a broker."""
    if mqtt.url is None:
        return None
    return BrokerSession(
        mqtt.url,
        mqtt.client_id or own_client_id(mqtt.url),
        inbox,
        clock,
        version=_VERSIONS[mqtt.version],
        receive_max=mqtt.receive_maximum,
        keepalive_s=max(1, mqtt.keepalive_ms // 1_000),
        session_expiry_s=mqtt.session_expiry_ms // 1_000,
        reconnect_max_s=mqtt.reconnect_max_ms / 1_000,
        tls=ssl.create_default_context(cafile=str(mqtt.ca)) if mqtt.ca else None,
    )


def own_client_id(url: str) -> str:
    """The name under which a broker keeps our queue.

    Brokers hand a session to any login that calls itself by its client id; so ours ends in what only who has
    our password can know.  It is the same for a standby, and changes with the password.
    """
    password = urlsplit(url).password
    if password is None:
        return CLIENT_ID
    digest = hmac.digest(unquote(password).encode(), CLIENT_ID.encode(), "sha256")
    return f"{CLIENT_ID}-{digest.hex()[:16]}"


def device_endpoint(
    own: EndpointSettings, authenticate: Authenticate, inbox: Inbox, clock: Clock
) -> DeviceEndpoint | None:
    """The endpoint, not yet listening; None where none is configured.  May raise ssl.SSLError, OSError."""
    if own.listen is None:
        return None
    return DeviceEndpoint(
        str(own.listen),
        authenticate,
        inbox,
        clock,
        tls=server_tls(own.tls),
        connections_max=own.connections_max,
        receive_max=own.receive_maximum,
        packet_bytes_max=own.packet_bytes_max,
        connect_timeout_s=own.connect_timeout_ms / 1_000,
    )


def server_tls(tls: Tls) -> ssl.SSLContext | None:
    """How devices are met; None without a certificate.  Raises ssl.SSLError, OSError."""
    if tls.certificate is None:
        return None
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    context.load_cert_chain(tls.certificate, tls.key)
    if tls.client_ca is not None:
        context.load_verify_locations(tls.client_ca)
        context.verify_mode = ssl.CERT_REQUIRED
    return context
