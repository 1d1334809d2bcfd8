-- name: add
INSERT INTO drills (drill_id, officer_id, office_id, alert_id, kind, severity, at_ms, ends_ms, reason, ordered_by)
VALUES (%(drill_id)s, %(officer_id)s, %(office_id)s, %(alert_id)s, %(kind)s, %(severity)s, %(at_ms)s,
        %(ends_ms)s, %(reason)s, %(ordered_by)s)

-- name: take
WITH taken AS (
    UPDATE drills SET taken_batch = %s WHERE taken_batch IS NULL RETURNING *
)
SELECT drill_id, officer_id, office_id, kind, severity, at_ms, ends_ms, reason
FROM taken ORDER BY at_ms, drill_id, officer_id

-- name: report
-- First acknowledgement and hand-over to a channel count, whatever came after.
SELECT d.drill_id, d.officer_id, f.name AS officer_name, d.office_id, d.alert_id, d.kind, d.severity, d.at_ms,
       d.ends_ms, d.reason, d.ordered_by, a.state, a.disposition, a.opened_ms,
       (SELECT count(*) FROM pages p WHERE p.alert_id = d.alert_id) AS pages,
       (SELECT min(p.handed_ms) FROM pages p WHERE p.alert_id = d.alert_id) AS paged_ms,
       (SELECT min(t.at_ms) FROM alert_timeline t WHERE t.alert_id = d.alert_id AND t.what = 'acknowledged')
           AS acknowledged_ms,
       (SELECT min(t.at_ms) FROM alert_timeline t WHERE t.alert_id = d.alert_id AND t.what = 'resolved')
           AS resolved_ms
FROM drills d
LEFT JOIN alerts a ON a.alert_id = d.alert_id
LEFT JOIN officers f ON f.officer_id = d.officer_id AND f.superseded_ms IS NULL
WHERE d.drill_id = %(drill_id)s
ORDER BY d.officer_id

-- name: newest
SELECT d.drill_id, min(d.at_ms) AS at_ms, min(d.ends_ms) AS ends_ms, min(d.kind) AS kind,
       min(d.severity) AS severity, min(d.ordered_by) AS ordered_by, min(d.reason) AS reason,
       count(*) AS officers,
       count(*) FILTER (WHERE EXISTS (SELECT FROM alert_timeline t
                                      WHERE t.alert_id = d.alert_id AND t.what = 'acknowledged')) AS acknowledged
FROM drills d WHERE d.office_id = ANY(%(offices)s)
GROUP BY d.drill_id ORDER BY min(d.at_ms) DESC, d.drill_id LIMIT %(limit)s
