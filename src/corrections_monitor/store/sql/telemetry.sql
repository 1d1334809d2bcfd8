-- name: allot_numbers
-- DO NOTHING alone would burn a number at every ask; only what is missing is tried.
INSERT INTO device_numbers (device_id)
SELECT wanted FROM unnest(%s::text[]) AS wanted
WHERE NOT EXISTS (SELECT FROM device_numbers WHERE device_id = wanted)
ORDER BY wanted
ON CONFLICT DO NOTHING

-- name: read_numbers
SELECT device_id, device_no FROM device_numbers WHERE device_id = ANY(%s)

-- name: ensure_partitions
SELECT ensure_partitions(%s, %s)

-- name: stage_fixes
CREATE TEMP TABLE IF NOT EXISTS staged_fixes (
    i integer, t_ms bigint, arrival_ms bigint, device_no integer, lon_e7 integer, lat_e7 integer,
    acc_m real, src smallint, spd_cms smallint, hdg_cdeg smallint, behind_ms integer
) ON COMMIT DELETE ROWS

-- name: clear_fixes
DELETE FROM staged_fixes

-- name: copy_fixes
COPY fixes (t_ms, arrival_ms, device_no, lon_e7, lat_e7, acc_m, src, spd_cms, hdg_cdeg, behind_ms)
FROM STDIN (FORMAT binary)

-- name: copy_staged_fixes
COPY staged_fixes FROM STDIN (FORMAT binary)

-- name: insert_fixes
-- What comes back was there before.
WITH stored AS (
    INSERT INTO fixes (t_ms, arrival_ms, device_no, lon_e7, lat_e7, acc_m, src, spd_cms, hdg_cdeg, behind_ms)
    SELECT t_ms, arrival_ms, device_no, lon_e7, lat_e7, acc_m, src, spd_cms, hdg_cdeg, behind_ms
    FROM staged_fixes
    ON CONFLICT DO NOTHING
    RETURNING device_no, src, t_ms
)
SELECT i FROM staged_fixes s
WHERE NOT EXISTS (
    SELECT FROM stored n WHERE n.device_no = s.device_no AND n.src = s.src AND n.t_ms = s.t_ms)

-- name: fixes_in_conflict
-- OFFSET 0 keeps the planner from turning a handful of key look-ups into a scan of all history.
SELECT s.i FROM staged_fixes s, LATERAL (
    SELECT f.lon_e7, f.lat_e7, f.acc_m, f.spd_cms, f.hdg_cdeg FROM fixes f
    WHERE f.device_no = s.device_no AND f.src = s.src AND f.t_ms = s.t_ms OFFSET 0
) f
WHERE s.i = ANY(%s)
  AND (f.lon_e7, f.lat_e7, f.acc_m, f.spd_cms, f.hdg_cdeg) IS DISTINCT FROM
      (s.lon_e7, s.lat_e7, s.acc_m, s.spd_cms, s.hdg_cdeg)

-- name: stage_events
CREATE TEMP TABLE IF NOT EXISTS staged_events (
    i integer, t_ms bigint, arrival_ms bigint, device_no integer, ev smallint, battery_pct smallint,
    behind_ms integer
) ON COMMIT DELETE ROWS

-- name: clear_events
DELETE FROM staged_events

-- name: copy_events
COPY band_events (t_ms, arrival_ms, device_no, ev, battery_pct, behind_ms) FROM STDIN (FORMAT binary)

-- name: copy_staged_events
COPY staged_events FROM STDIN (FORMAT binary)

-- name: insert_events
WITH stored AS (
    INSERT INTO band_events (t_ms, arrival_ms, device_no, ev, battery_pct, behind_ms)
    SELECT t_ms, arrival_ms, device_no, ev, battery_pct, behind_ms FROM staged_events
    ON CONFLICT DO NOTHING
    RETURNING device_no, ev, t_ms
)
SELECT i FROM staged_events s
WHERE NOT EXISTS (
    SELECT FROM stored n WHERE n.device_no = s.device_no AND n.ev = s.ev AND n.t_ms = s.t_ms)

-- name: events_in_conflict
SELECT s.i FROM staged_events s, LATERAL (
    SELECT e.battery_pct FROM band_events e
    WHERE e.device_no = s.device_no AND e.ev = s.ev AND e.t_ms = s.t_ms OFFSET 0
) e
WHERE s.i = ANY(%s) AND e.battery_pct IS DISTINCT FROM s.battery_pct

-- name: insert_contacts
INSERT INTO contacts (arrival_ms, device_id, topic)
SELECT * FROM unnest(%s::bigint[], %s::text[], %s::text[])

-- name: fixes_since
-- Times as they were judged; what was set right lies within the margin of the time told.
SELECT device_no, t_ms + coalesce(behind_ms, 0) AS judged_ms, lon_e7, lat_e7, acc_m, src FROM fixes
WHERE device_no = ANY(%(devices)s) AND t_ms >= %(since_ms)s::bigint - %(margin_ms)s::bigint
  AND t_ms + coalesce(behind_ms, 0) >= %(since_ms)s
UNION ALL
SELECT last.* FROM unnest(%(devices)s) AS d (device_no) CROSS JOIN LATERAL (
    SELECT f.device_no, t_ms + coalesce(behind_ms, 0), lon_e7, lat_e7, acc_m, src FROM fixes f
    WHERE f.device_no = d.device_no AND t_ms < %(since_ms)s::bigint + %(margin_ms)s::bigint
      AND t_ms + coalesce(behind_ms, 0) < %(since_ms)s ORDER BY t_ms DESC LIMIT 1
) last
ORDER BY judged_ms, device_no, src
