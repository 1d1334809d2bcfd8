"""Sockets to columns and back: MQTT sessions, wire formats, batching.  No database here."""
