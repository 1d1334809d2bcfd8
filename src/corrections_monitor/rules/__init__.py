"""Severity, grouping and escalation as tables: (transitions, answers, cases, now) → lines, alerts, pages."""
