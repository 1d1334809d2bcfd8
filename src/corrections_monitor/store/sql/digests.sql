-- name: unresolved
SELECT a.office_id, a.state, a.opened_ms, coalesce(a.acknowledged_by, p.officer_id, '') AS owner_id
FROM alerts a LEFT JOIN people p ON p.person_id = a.person_id AND p.superseded_ms IS NULL
WHERE a.state <> 'resolved' AND NOT a.drill

-- name: minor
SELECT office_id, kind, count(*) AS alerts FROM alerts
WHERE NOT drill AND severity <= 1 AND opened_ms >= %(since_ms)s
GROUP BY office_id, kind ORDER BY office_id, kind

-- name: expiring
SELECT DISTINCT e.office_id, e.person_id, told_name(p.person_id, p.name) AS name,
       (SELECT max(o.to_ms) FROM orders o
        WHERE o.person_id = e.person_id AND o.superseded_ms IS NULL) AS to_ms
FROM episodes e JOIN people p ON p.person_id = e.person_id AND p.superseded_ms IS NULL
WHERE e.ended_ms IS NULL AND e.kind IN ('order.expiring', 'order.lapsed')
ORDER BY to_ms, e.person_id

-- name: unmonitored
SELECT DISTINCT e.office_id, e.person_id, told_name(p.person_id, p.name) AS name
FROM episodes e JOIN people p ON p.person_id = e.person_id AND p.superseded_ms IS NULL
WHERE e.ended_ms IS NULL AND e.kind = 'unmonitored'
ORDER BY e.person_id

-- name: silent
SELECT office_id, count(DISTINCT person_id) AS people FROM episodes
WHERE ended_ms IS NULL AND kind IN ('silence.device', 'silence.position', 'silence.band')
GROUP BY office_id

-- name: add
INSERT INTO digests (digest_id, office_id, day, made_ms, body)
VALUES (%(digest_id)s, %(office_id)s, %(day)s, %(made_ms)s, %(body)s)
ON CONFLICT (office_id, day) DO NOTHING

-- name: add_page
INSERT INTO pages (digest_id, round, purpose, step, officer_id, channel, address, severity, due_ms, next_attempt_ms)
VALUES (%(digest_id)s, 1, %(purpose)s, 0, %(officer_id)s, %(channel)s, %(address)s, %(severity)s, %(due_ms)s,
        %(due_ms)s)
ON CONFLICT (digest_id, officer_id, channel) WHERE digest_id IS NOT NULL DO NOTHING

-- name: one
SELECT body FROM digests WHERE digest_id = %(digest_id)s

-- name: newest
SELECT body FROM digests WHERE office_id = %(office_id)s ORDER BY day DESC LIMIT %(limit)s
