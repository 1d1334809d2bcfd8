-- name: acknowledge
-- The guard decides a race: the second of two waits for the first's row lock and then matches nothing.
UPDATE alerts SET state = 'acknowledged', acknowledged_by = %(officer_id)s, acknowledged_ms = %(at_ms)s,
                  note = coalesce(%(note)s, note), updated_ms = greatest(updated_ms, %(at_ms)s)
WHERE alert_id = %(alert_id)s AND state = 'open'

-- name: note
UPDATE alerts SET updated_ms = greatest(updated_ms, %(at_ms)s) WHERE alert_id = %(alert_id)s

-- name: hand_over
UPDATE alerts SET acknowledged_by = %(to_officer)s, updated_ms = greatest(updated_ms, %(at_ms)s)
WHERE alert_id = %(alert_id)s AND state = 'acknowledged' AND acknowledged_by <> %(to_officer)s

-- name: resolve
UPDATE alerts SET state = 'resolved', resolved_by = %(officer_id)s, resolved_ms = %(at_ms)s,
                  disposition = %(disposition)s, note = coalesce(%(note)s, note), inspected = %(inspected)s,
                  updated_ms = greatest(updated_ms, %(at_ms)s)
WHERE alert_id = %(alert_id)s AND state <> 'resolved'

-- name: standing
SELECT state, acknowledged_by, acknowledged_ms, resolved_by, resolved_ms FROM alerts WHERE alert_id = %s

-- name: add
INSERT INTO alert_answers (alert_id, answer, officer_id, at_ms, disposition, note, to_officer)
VALUES (%(alert_id)s, %(answer)s, %(officer_id)s, %(at_ms)s, %(disposition)s, %(note)s, %(to_officer)s)

-- name: take
-- Rows are locked in order, so that the order of taking is the order of answering.
WITH waiting AS (
    SELECT answer_id FROM alert_answers WHERE taken_batch IS NULL ORDER BY answer_id FOR UPDATE
), taken AS (
    UPDATE alert_answers a SET taken_batch = %s FROM waiting w WHERE a.answer_id = w.answer_id
    RETURNING a.answer_id, a.answer, a.alert_id, a.officer_id, a.at_ms, a.disposition, a.to_officer
)
SELECT answer, alert_id, officer_id, at_ms, disposition, to_officer FROM taken ORDER BY answer_id

-- name: may
-- Whether the officer may answer the alert: it is of his offices, or he was paged about it, from wherever.
WITH RECURSIVE below AS (
    SELECT office_id FROM officers
    WHERE officer_id = %(officer_id)s AND superseded_ms IS NULL AND role IN ('officer', 'chief', 'supervisor')
    UNION
    SELECT o.office_id FROM offices o JOIN below b ON o.parent_id = b.office_id WHERE o.superseded_ms IS NULL
)
SELECT EXISTS (SELECT FROM below)
   AND (a.office_id IN (SELECT office_id FROM below)
        OR EXISTS (SELECT FROM pages p WHERE p.alert_id = a.alert_id AND p.officer_id = %(officer_id)s))
FROM alerts a WHERE a.alert_id = %(alert_id)s

-- name: use_link
INSERT INTO links_used (link_sha256, alert_id, officer_id, used_ms)
VALUES (%(link)s, %(alert_id)s, %(officer_id)s, %(at_ms)s)
ON CONFLICT (link_sha256) DO NOTHING

-- name: tell_beaten
INSERT INTO pages (alert_id, round, purpose, step, officer_id, channel, address, severity, due_ms,
                   next_attempt_ms)
SELECT alert_id, round, 'beaten', 0, %(officer_id)s, %(channel)s, %(address)s, severity, %(at_ms)s, %(at_ms)s
FROM alerts WHERE alert_id = %(alert_id)s
ON CONFLICT (alert_id, round, purpose, step, officer_id, channel) DO NOTHING

-- name: make_link_key
INSERT INTO state (key, value, updated_ms) VALUES ('link-key', %s, %s) ON CONFLICT (key) DO NOTHING

-- name: link_key
SELECT value FROM state WHERE key = 'link-key'
