-- name: insert
INSERT INTO quarantine (arrival_ms, device_id, topic, reason, detail, payload)
VALUES (%s, %s, %s, %s, %s, %s)

-- name: grow
UPDATE quarantine_size SET rows = rows + %s, bytes = bytes + %s, dropped = dropped + %s
RETURNING rows, bytes

-- name: trim
-- Keep the newest rows that fit both bounds; count the others as dropped.
WITH sized AS (
    SELECT reject_id, octet_length(topic) + octet_length(detail) + coalesce(octet_length(payload), 0) AS bytes,
           row_number() OVER newest AS nth,
           sum(octet_length(topic) + octet_length(detail) + coalesce(octet_length(payload), 0))
               OVER newest AS held
    FROM quarantine WINDOW newest AS (ORDER BY reject_id DESC)
), gone AS (
    DELETE FROM quarantine q USING sized s
    WHERE q.reject_id = s.reject_id AND (s.nth > %s OR s.held > %s)
    RETURNING s.bytes
)
UPDATE quarantine_size SET
    rows = rows - (SELECT count(*) FROM gone),
    bytes = bytes - (SELECT coalesce(sum(bytes), 0) FROM gone),
    dropped = dropped + (SELECT count(*) FROM gone)

-- name: ahead
SELECT reject_id, arrival_ms, topic, payload FROM quarantine
WHERE reason = 'future' AND payload IS NOT NULL AND arrival_ms >= %s AND reject_id > %s
ORDER BY reject_id LIMIT %s

-- name: drop
WITH gone AS (
    DELETE FROM quarantine WHERE reject_id = ANY(%s)
    RETURNING octet_length(topic) + octet_length(detail) + coalesce(octet_length(payload), 0) AS bytes
)
UPDATE quarantine_size SET
    rows = rows - (SELECT count(*) FROM gone),
    bytes = bytes - (SELECT coalesce(sum(bytes), 0) FROM gone)
