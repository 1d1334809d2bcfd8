-- name: alert
SELECT a.*, told_name(p.person_id, p.name) AS person_name, o.name AS office_name
FROM alerts a
LEFT JOIN people p ON p.person_id = a.person_id AND p.superseded_ms IS NULL
LEFT JOIN offices o ON o.office_id = a.office_id AND o.superseded_ms IS NULL
WHERE a.alert_id = %(alert_id)s

-- name: officers
SELECT officer_id, name FROM officers
WHERE officer_id = ANY(%(officer_ids)s::text[]) AND superseded_ms IS NULL

-- name: episodes
SELECT * FROM episodes WHERE alert_id = %(alert_id)s ORDER BY started_ms, episode_id

-- name: newest_position
-- One probe of the key per device and source; the engine's role reads the fixes themselves.
SELECT f.t_ms, f.lon_e7 / 1e7::double precision AS lon, f.lat_e7 / 1e7::double precision AS lat, f.acc_m
FROM devices d
JOIN device_numbers n ON n.device_id = d.device_id
CROSS JOIN generate_series(0, 3) AS source
CROSS JOIN LATERAL (
    SELECT t_ms, lon_e7, lat_e7, acc_m FROM fixes
    WHERE device_no = n.device_no AND src = source AND t_ms >= d.from_ms AND t_ms < d.to_ms
    ORDER BY t_ms DESC LIMIT 1
) f
WHERE d.person_id = %(person_id)s AND d.superseded_ms IS NULL
ORDER BY f.t_ms DESC
LIMIT 1

-- name: offices_up
WITH RECURSIVE up AS (
    SELECT office_id, parent_id FROM offices WHERE office_id = %(office_id)s AND superseded_ms IS NULL
    UNION
    SELECT o.office_id, o.parent_id FROM offices o JOIN up u ON o.office_id = u.parent_id
    WHERE o.superseded_ms IS NULL
)
SELECT office_id FROM up

-- name: zones
-- What a place is told by: the person's own zones, the zone of the matter, the districts of the offices.
SELECT {columns} FROM zones
WHERE superseded_ms IS NULL
  AND (applies_to = %(person_id)s OR zone_id = ANY(%(zone_ids)s) OR (applies_to = ANY(%(offices)s) AND kind = 'inclusion'))
ORDER BY zone_id
