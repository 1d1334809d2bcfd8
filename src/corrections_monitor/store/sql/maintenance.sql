-- name: ensure_ahead
SELECT ensure_partitions(%s, %s)

-- name: drop_old
SELECT drop_partitions(%s, %s)

-- name: settle
SELECT settle_partition(%s, %s)

-- name: drop_contacts
DELETE FROM contacts WHERE arrival_ms < %s

-- name: drop_digests
-- With the pages that brought them: both name people.
DELETE FROM digests WHERE made_ms < %s

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
