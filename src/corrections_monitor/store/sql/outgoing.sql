-- name: horizon
-- Everything below it is committed or never will be; nothing is at or above the second yet.
SELECT pg_snapshot_xmin(pg_current_snapshot())::text::bigint, pg_snapshot_xmax(pg_current_snapshot())::text::bigint

-- name: changed
-- Violations that transactions in [from, upto) changed last, by id.
SELECT e.*, told_name(p.person_id, p.name) AS person_name, a.state, a.disposition,
       EXISTS (SELECT FROM guarded_minors g WHERE g.person_id = e.person_id) AS minor
FROM (
    SELECT episode_id FROM episodes
    WHERE changed_xid >= (%(from_xid)s::text)::xid8 AND changed_xid < (%(upto_xid)s::text)::xid8
    UNION
    SELECT e.episode_id FROM alerts a JOIN episodes e ON e.alert_id = a.alert_id
    WHERE a.changed_xid > '0'  -- since it was opened
      AND a.changed_xid >= (%(from_xid)s::text)::xid8 AND a.changed_xid < (%(upto_xid)s::text)::xid8
) changed
JOIN episodes e USING (episode_id)
LEFT JOIN people p ON p.person_id = e.person_id AND p.superseded_ms IS NULL
LEFT JOIN alerts a ON a.alert_id = e.alert_id
WHERE e.episode_id > %(after_id)s
ORDER BY e.episode_id LIMIT %(limit)s
