-- name: list_alerts
-- Newest first; a page ends where the next begins, whatever is opened meanwhile.
SELECT a.*, p.name AS person_name
FROM alerts a
LEFT JOIN people p ON p.person_id = a.person_id AND p.superseded_ms IS NULL
WHERE a.office_id = ANY(%(offices)s)
  AND (%(states)s::text[] IS NULL OR a.state = ANY(%(states)s))
  AND (%(person_id)s::text IS NULL OR a.person_id = %(person_id)s)
  AND (%(severities)s::smallint[] IS NULL OR a.severity = ANY(%(severities)s))
  AND (%(dispositions)s::text[] IS NULL OR a.disposition = ANY(%(dispositions)s))
  AND (%(text)s::text IS NULL OR position(%(text)s in lower(concat_ws(E'\n', a.reason, a.note, p.name))) > 0
       OR a.person_id = %(text)s)
  AND (%(kinds)s::text[] IS NULL OR (a.drill AND a.kind = ANY(%(kinds)s)) OR EXISTS (
        SELECT FROM episodes e WHERE e.alert_id = a.alert_id AND e.kind = ANY(%(kinds)s)))
  AND a.opened_ms >= %(from_ms)s AND a.opened_ms < %(to_ms)s
  AND (%(after_ms)s::bigint IS NULL OR (a.opened_ms, a.alert_id) < (%(after_ms)s, %(after_id)s))
ORDER BY a.opened_ms DESC, a.alert_id DESC
LIMIT %(limit)s

-- name: alerts_by_id
SELECT a.*, p.name AS person_name
FROM alerts a
LEFT JOIN people p ON p.person_id = a.person_id AND p.superseded_ms IS NULL
WHERE a.office_id = ANY(%(offices)s) AND a.alert_id = ANY(%(alert_ids)s)
ORDER BY a.opened_ms DESC, a.alert_id DESC

-- name: episodes_of_alerts
SELECT e.*, p.name AS person_name
FROM episodes e
LEFT JOIN people p ON p.person_id = e.person_id AND p.superseded_ms IS NULL
WHERE e.alert_id = ANY(%(alert_ids)s)
ORDER BY e.started_ms, e.episode_id

-- name: timeline_of_alert
SELECT at_ms, what, who, detail FROM alert_timeline WHERE alert_id = %(alert_id)s ORDER BY at_ms, entry_id

-- name: pages_of_alert
SELECT round, purpose, step, officer_id, channel, turn, state, severity, due_ms, attempts, handed_ms, last_error
FROM pages WHERE alert_id = %(alert_id)s ORDER BY round, purpose, step, officer_id, turn, channel

-- name: lines_of_alert
SELECT l.episode_id, l.change, l.at_ms, l.severity, l.reason, l.paged
FROM episode_lines l JOIN episodes e ON e.episode_id = l.episode_id
WHERE e.alert_id = %(alert_id)s
ORDER BY l.line_id
