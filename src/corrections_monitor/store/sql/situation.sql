-- name: unanswered
SELECT severity, count(*) AS count, min(opened_ms) AS oldest_ms FROM alerts
WHERE state = 'open' AND NOT drill GROUP BY severity

-- name: pages
SELECT count(*) FILTER (WHERE due_ms <= %(now_ms)s) AS due,
    count(*) FILTER (WHERE due_ms <= %(overdue_ms)s) AS overdue,
    min(due_ms) AS oldest_ms
FROM pages WHERE state IN ('pending', 'claimed')

-- name: quarantine
SELECT rows AS count FROM quarantine_size
