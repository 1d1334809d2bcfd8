-- name: newest_positions
-- The newest fix of each person since, as the person's bindings show it.
SELECT DISTINCT ON (person_id) person_id, device_id, lon, lat, acc_m, t_ms, arrival_ms
FROM person_fixes
WHERE person_id = ANY(%(person_ids)s) AND t_ms >= %(since_ms)s
ORDER BY person_id, t_ms DESC

-- name: newest_contacts
-- When anything came from a device of each person last, by arrival.
SELECT person_id, max(arrival_ms) AS arrival_ms
FROM (
    SELECT person_id, arrival_ms FROM person_arrivals
    WHERE person_id = ANY(%(person_ids)s) AND t_ms >= %(since_ms)s
    UNION ALL
    SELECT person_id, arrival_ms FROM person_events
    WHERE person_id = ANY(%(person_ids)s) AND t_ms >= %(since_ms)s
    UNION ALL
    SELECT person_id, arrival_ms FROM person_contacts
    WHERE person_id = ANY(%(person_ids)s) AND arrival_ms >= %(since_ms)s
) heard
GROUP BY person_id

-- name: positions_since
-- For the stream: the newest fix of everybody of whom one arrived since.  What is an hour older than that
-- is late news, which history shows.
SELECT DISTINCT ON (f.person_id) f.person_id, p.office_id, f.device_id, f.lon, f.lat, f.acc_m, f.t_ms, f.arrival_ms
FROM person_fixes f
JOIN people p ON p.person_id = f.person_id AND p.superseded_ms IS NULL
WHERE f.arrival_ms > %(since_ms)s AND f.t_ms > %(since_ms)s - 3600000
ORDER BY f.person_id, f.t_ms DESC

-- name: list_people
SELECT p.person_id, p.name, p.category, p.level, p.office_id, p.officer_id, f.name AS officer_name,
       p.from_ms, p.to_ms,
       EXISTS (SELECT FROM guarded_minors g WHERE g.person_id = p.person_id) AS minor,
       h.reason AS hold_reason, h.held_by, h.held_ms
FROM people p
LEFT JOIN legal_holds h ON h.person_id = p.person_id
LEFT JOIN officers f ON f.officer_id = p.officer_id AND f.superseded_ms IS NULL
WHERE p.superseded_ms IS NULL AND p.office_id = ANY(%(offices)s)
  AND (%(person_ids)s::text[] IS NULL OR p.person_id = ANY(%(person_ids)s))
  AND (%(name)s::text IS NULL OR position(%(name)s in p.name) > 0 OR p.person_id = %(name)s)
  AND (%(category)s::text[] IS NULL OR p.category = ANY(%(category)s))
  AND (%(ordered_at_ms)s::bigint IS NULL OR EXISTS (
        SELECT FROM orders o
        WHERE o.person_id = p.person_id AND o.superseded_ms IS NULL
          AND o.from_ms <= %(ordered_at_ms)s AND o.to_ms > %(ordered_at_ms)s))
  AND (%(after_id)s::text IS NULL OR p.person_id > %(after_id)s)
ORDER BY p.person_id
LIMIT %(limit)s

-- name: devices_of
SELECT person_id, device_id, kind, report_every_s, from_ms, to_ms
FROM devices WHERE superseded_ms IS NULL AND person_id = ANY(%(person_ids)s) ORDER BY from_ms, device_id

-- name: orders_of
SELECT person_id, order_id, ground, approved_by, approved_on, from_ms, to_ms, extends
FROM orders WHERE superseded_ms IS NULL AND person_id = ANY(%(person_ids)s) ORDER BY from_ms, order_id

-- name: leaves_of
SELECT person_id, leave_id, from_ms, to_ms, approved_by, zone_ids
FROM leaves WHERE superseded_ms IS NULL AND person_id = ANY(%(person_ids)s) ORDER BY from_ms, leave_id

-- name: suspensions_of
SELECT person_id, from_ms, to_ms, reason
FROM suspensions WHERE superseded_ms IS NULL AND person_id = ANY(%(person_ids)s) ORDER BY from_ms

-- name: contact_rules_of
SELECT person_id, protected_id, distance_m
FROM contact_rules WHERE superseded_ms IS NULL AND person_id = ANY(%(person_ids)s) ORDER BY protected_id

-- name: open_episodes_of
SELECT person_id, kind, started_ms, severity, alert_id
FROM episodes WHERE ended_ms IS NULL AND person_id = ANY(%(person_ids)s) ORDER BY started_ms
