-- name: heard
SELECT f.arrival_ms, n.device_id, f.t_ms, f.lon_e7, f.lat_e7, f.acc_m, f.src,
    NULL::smallint AS ev, NULL::smallint AS battery_pct
FROM fixes f JOIN device_numbers n USING (device_no)
WHERE f.arrival_ms >= %(start_ms)s AND f.arrival_ms < %(end_ms)s
UNION ALL
SELECT e.arrival_ms, n.device_id, e.t_ms, NULL, NULL, NULL, NULL, e.ev, coalesce(e.battery_pct, -1)
FROM band_events e JOIN device_numbers n USING (device_no)
WHERE e.arrival_ms >= %(start_ms)s AND e.arrival_ms < %(end_ms)s
UNION ALL
SELECT c.arrival_ms, c.device_id, NULL, NULL, NULL, NULL, NULL, NULL, NULL
FROM contacts c
WHERE c.arrival_ms >= %(start_ms)s AND c.arrival_ms < %(end_ms)s
ORDER BY arrival_ms, device_id, t_ms

-- name: paged
SELECT e.kind, e.office_id, l.paged
FROM episode_lines l JOIN episodes e USING (episode_id)
WHERE l.at_ms >= %(start_ms)s AND l.at_ms < %(end_ms)s AND l.paged <> '[]'
ORDER BY l.line_id

-- name: answered
SELECT a.answer, l.person_id, l.cause, l.subject, a.officer_id, a.at_ms, a.disposition, a.to_officer
FROM alert_answers a JOIN alerts l USING (alert_id)
WHERE a.at_ms >= %(start_ms)s AND a.at_ms < %(end_ms)s AND NOT l.drill
ORDER BY a.answer_id

-- name: first_heard
SELECT min(arrival_ms) AS arrival_ms FROM (
    SELECT min(arrival_ms) AS arrival_ms FROM fixes WHERE arrival_ms >= %(start_ms)s AND arrival_ms < %(end_ms)s
    UNION ALL
    SELECT min(arrival_ms) FROM band_events WHERE arrival_ms >= %(start_ms)s AND arrival_ms < %(end_ms)s
    UNION ALL
    SELECT min(arrival_ms) FROM contacts WHERE arrival_ms >= %(start_ms)s AND arrival_ms < %(end_ms)s
) firsts
