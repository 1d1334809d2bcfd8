-- name: track
-- The next fixes after a place in the order of event time.
SELECT t_ms, arrival_ms, device_id, lon, lat, acc_m, spd_mps, hdg_deg, src
FROM person_fixes
WHERE person_id = %(person_id)s AND t_ms >= %(after_ms)s AND t_ms < %(to_ms)s
  AND (t_ms, device_id, src) > (%(after_ms)s, %(after_device)s, %(after_src)s)
ORDER BY t_ms, device_id, src
LIMIT %(limit)s
