-- name: list_rejects
SELECT reject_id, arrival_ms, device_id, topic, reason, detail, payload
FROM seen_rejects
WHERE (%(reason)s::text IS NULL OR reason = %(reason)s)
  AND (%(device_id)s::text IS NULL OR device_id = %(device_id)s)
  AND (%(before_id)s::bigint IS NULL OR reject_id < %(before_id)s)
ORDER BY reject_id DESC
LIMIT %(limit)s

-- name: count_rejects
SELECT reason, count(*) AS count, max(arrival_ms) AS newest_ms
FROM seen_rejects GROUP BY reason ORDER BY count(*) DESC, reason
