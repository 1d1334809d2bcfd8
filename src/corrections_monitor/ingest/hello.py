"""CONNECT and CONNACK of the daemon's own endpoint: who may come in, and what is promised."""

from __future__ import annotations

import mqtt5

from corrections_monitor.ingest.message import Message
from corrections_monitor.ingest.principal import Principal, may_publish
from corrections_monitor.ingest.topics import Family, route

CLIENT_ID_CHARS_MAX = 256


def refusal(packet: mqtt5.ConnectPacket, principal: Principal) -> mqtt5.ConnAckReasonCode | None:
    """Why a client whose password is right is refused all the same; None if it is let in.

    A client without an id must ask for a clean session (3.1.1 §3.1.3.1), and a last will is the sender's own
    status and nothing else.
    """
    codes = mqtt5.ConnAckReasonCode
    if len(packet.client_id) > CLIENT_ID_CHARS_MAX or not (packet.client_id or packet.clean_start):
        return codes.CLIENT_ID_NOT_VALID
    will = packet.will
    if will is None:
        return None
    if int(will.qos) > 1:
        return codes.QUALITY_NOT_SUPPORTED
    if route(will.topic)[0] is not Family.STATUS or not may_publish(principal, will.topic):
        return codes.NOT_AUTHORIZED
    return None


def will_message(packet: mqtt5.ConnectPacket, principal: Principal) -> Message | None:
    """The last will as the message it becomes, its arrival still to be stamped."""
    will = packet.will
    return Message(will.topic, will.payload or b"", 0, login=principal.login) if will is not None else None


def connack(
    packet: mqtt5.ConnectPacket, client_id: str, receive_max: int, packet_bytes_max: int
) -> mqtt5.ConnAckPacket:
    """Welcome: no session is kept, quality 1 at most, and the bounds (which 3.1.1 has no words for)."""
    return mqtt5.ConnAckPacket(
        session_expiry_interval=0 if packet.session_expiry_interval else None,
        assigned_client_id=None if packet.client_id else client_id,
        receive_max=receive_max,
        max_qos=mqtt5.QoS.AT_LEAST_ONCE,
        max_packet_size=packet_bytes_max,
        subscription_id_available=False,
        shared_subscription_available=False,
    )
