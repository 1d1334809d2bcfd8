-- name: ensure_ahead
SELECT ensure_partitions(%s, %s)

-- name: drop_old
SELECT drop_partitions(%s, %s)

-- name: settle
SELECT settle_partition(%s, %s)

-- name: drop_contacts
DELETE FROM contacts c WHERE c.arrival_ms < %s AND NOT EXISTS (
    SELECT FROM legal_holds h JOIN devices d ON d.person_id = h.person_id
    WHERE d.device_id = c.device_id AND c.arrival_ms >= d.from_ms AND c.arrival_ms < d.to_ms)

-- name: drop_digests
-- With the pages that brought them: both name people, many at once.
DELETE FROM digests WHERE made_ms < %s AND NOT EXISTS (SELECT FROM legal_holds)

-- name: drop_commands
DELETE FROM commands c WHERE c.issued_ms < %s AND c.state NOT IN ('pending', 'claimed', 'sent')
  AND NOT EXISTS (SELECT FROM legal_holds h WHERE h.person_id = c.person_id)

-- name: drop_violations
-- An alert with its episodes, lines, timeline, answers, pages and links, once all of it is long over.  What
-- pages stays until somebody has resolved it.
WITH over AS (
    SELECT a.alert_id FROM alerts a
    WHERE a.updated_ms < %s AND (a.state = 'resolved' OR a.severity < 2)
      AND NOT EXISTS (SELECT FROM episodes e WHERE e.alert_id = a.alert_id
                      AND (e.ended_ms IS NULL OR greatest(e.ended_ms, e.updated_ms) >= %s))
      AND NOT EXISTS (SELECT FROM alert_answers w WHERE w.alert_id = a.alert_id AND w.taken_batch IS NULL)
      AND NOT EXISTS (SELECT FROM commands c WHERE c.alert_id = a.alert_id)
      AND NOT EXISTS (SELECT FROM legal_holds h WHERE h.person_id = a.person_id)
    ORDER BY a.updated_ms LIMIT %s
), lines AS (
    DELETE FROM episode_lines l USING episodes e, over o WHERE l.episode_id = e.episode_id AND e.alert_id = o.alert_id
), entries AS (
    DELETE FROM alert_timeline t USING over o WHERE t.alert_id = o.alert_id
), answers AS (
    DELETE FROM alert_answers w USING over o WHERE w.alert_id = o.alert_id
), paged AS (
    DELETE FROM pages p USING over o WHERE p.alert_id = o.alert_id
), links AS (
    DELETE FROM links_used l USING over o WHERE l.alert_id = o.alert_id
), ended AS (
    DELETE FROM episodes e USING over o WHERE e.alert_id = o.alert_id
)
DELETE FROM alerts a USING over o WHERE a.alert_id = o.alert_id

-- name: drop_quarantine
WITH gone AS (
    DELETE FROM quarantine q WHERE q.arrival_ms < %s AND NOT EXISTS (
        SELECT FROM legal_holds h JOIN devices d ON d.person_id = h.person_id
        WHERE d.device_id = q.device_id AND q.arrival_ms >= d.from_ms AND q.arrival_ms < d.to_ms)
    RETURNING octet_length(topic) + octet_length(detail) + coalesce(octet_length(payload), 0) AS bytes
), counted AS (
    UPDATE quarantine_size SET
        rows = rows - (SELECT count(*) FROM gone),
        bytes = bytes - (SELECT coalesce(sum(bytes), 0) FROM gone)
)
SELECT count(*) FROM gone

-- name: drop_exchanges
-- The newest stays: by it the same roster is known when it comes again.
DELETE FROM exchanges x WHERE x.came_ms < %s AND x.state NOT IN ('pending', 'confirmed')
  AND x.exchange_id < (SELECT max(exchange_id) FROM exchanges) AND NOT EXISTS (SELECT FROM legal_holds)

-- name: cut_audit
SELECT CASE WHEN EXISTS (SELECT FROM legal_holds) THEN 0 ELSE audit_cut(%s, %s) END

-- name: drop_sessions
DELETE FROM sessions WHERE expires_ms < %s

-- name: lock_timeout
SET LOCAL lock_timeout = '2s'

-- name: days_ahead
-- Hypertables make their chunks by themselves and never run out.
SELECT CASE WHEN (SELECT relkind FROM pg_class WHERE oid = 'fixes'::regclass) = 'p' THEN (
    SELECT coalesce(min(n) - 1, 30) FROM generate_series(1, 30) n
    WHERE to_regclass('fixes_d' || to_char(to_timestamp(%s / 1000 + n * 86400) AT TIME ZONE 'UTC', 'YYYYMMDD'))
          IS NULL) ELSE 30 END

-- name: keys_free
SELECT name, 1 - used / top FROM (
    SELECT 'device_numbers', coalesce(max(device_no), 0), 2147483647::float8 FROM device_numbers
    UNION ALL SELECT 'contacts', coalesce(max(contact_id), 0), 9223372036854775807 FROM contacts
    UNION ALL SELECT 'quarantine', coalesce(max(reject_id), 0), 9223372036854775807 FROM quarantine
    UNION ALL SELECT 'episode_lines', coalesce(max(line_id), 0), 9223372036854775807 FROM episode_lines
    UNION ALL SELECT 'alert_timeline', coalesce(max(entry_id), 0), 9223372036854775807 FROM alert_timeline
    UNION ALL SELECT 'pages', coalesce(max(page_id), 0), 9223372036854775807 FROM pages
) AS keys (name, used, top)

-- name: any_hold
SELECT count(*) FROM legal_holds

-- name: drop_unheld
-- Row by row what drop_old drops by the day, but for what somebody's devices sent who is under a legal hold.
-- Bindings that were edited count too: who doubts keeps.
DELETE FROM {table} t WHERE t.t_ms < %s AND NOT EXISTS (
    SELECT FROM legal_holds h
    JOIN devices d ON d.person_id = h.person_id
    JOIN device_numbers n ON n.device_id = d.device_id
    WHERE n.device_no = t.device_no AND t.t_ms >= d.from_ms AND t.t_ms < d.to_ms)

-- name: ended
-- Whose term was over by then, who is not held, and of whom something is still stored.  Terms that ended
-- before the retention began have left nothing.
SELECT p.person_id FROM people p
WHERE p.superseded_ms IS NULL AND p.to_ms < %(ended_by_ms)s AND p.to_ms > %(kept_from_ms)s
  AND NOT EXISTS (SELECT FROM legal_holds h WHERE h.person_id = p.person_id)
  AND EXISTS (
    SELECT FROM devices d JOIN device_numbers n ON n.device_id = d.device_id
    WHERE d.person_id = p.person_id AND d.superseded_ms IS NULL AND (
        EXISTS (SELECT FROM fixes f WHERE f.device_no = n.device_no AND f.t_ms >= d.from_ms
                AND f.t_ms < least(d.to_ms, p.to_ms))
        OR EXISTS (SELECT FROM band_events e WHERE e.device_no = n.device_no AND e.t_ms >= d.from_ms
                   AND e.t_ms < least(d.to_ms, p.to_ms))))
ORDER BY p.person_id LIMIT %(limit)s

-- name: erase
-- What the devices of one person sent while they were theirs and the term ran; asks for the hold once more.
DELETE FROM {table} t
USING people p JOIN devices d ON d.person_id = p.person_id AND d.superseded_ms IS NULL
    JOIN device_numbers n ON n.device_id = d.device_id
WHERE p.person_id = %(person_id)s AND p.superseded_ms IS NULL AND p.to_ms < %(ended_by_ms)s
  AND NOT EXISTS (SELECT FROM legal_holds h WHERE h.person_id = p.person_id)
  AND t.device_no = n.device_no AND t.t_ms >= d.from_ms AND t.t_ms < least(d.to_ms, p.to_ms)
