-- name: put
INSERT INTO commands (command_id, person_id, device_id, county_id, cmd, arg, issued_by, origin, alert_id,
                      issued_ms, expires_ms, next_attempt_ms)
VALUES (%(command_id)s, %(person_id)s, %(device_id)s, %(county_id)s, %(cmd)s, %(arg)s, %(issued_by)s,
        %(origin)s, %(alert_id)s, %(issued_ms)s, %(expires_ms)s, %(issued_ms)s)
ON CONFLICT (command_id) DO NOTHING
RETURNING command_id

-- name: supersede
-- A device has one interval: an older order of one is not sent any more.
UPDATE commands SET state = 'superseded'
WHERE device_id = %(device_id)s AND cmd = 'set_interval' AND command_id <> %(command_id)s
  AND state IN ('pending', 'claimed', 'sent')

-- name: claim
-- next_attempt_ms of a claimed command is the end of its lease; of a sent one, when it is said again.
WITH due AS (
    SELECT command_id FROM commands
    WHERE state IN ('pending', 'claimed', 'sent') AND next_attempt_ms <= %(now_ms)s
      AND command_id <> ALL(%(held)s)
    ORDER BY next_attempt_ms, command_id LIMIT %(limit)s
    FOR UPDATE SKIP LOCKED
)
UPDATE commands c SET
    state = CASE WHEN c.expires_ms > %(now_ms)s THEN 'claimed' ELSE 'expired' END,
    attempts = c.attempts + (c.expires_ms > %(now_ms)s)::integer,
    next_attempt_ms = CASE WHEN c.expires_ms > %(now_ms)s THEN least(%(now_ms)s + %(lease_ms)s, c.expires_ms)
                           ELSE c.next_attempt_ms END
FROM due WHERE c.command_id = due.command_id
RETURNING c.state, c.command_id, c.attempts, c.device_id, c.county_id, c.cmd, c.arg, c.alert_id

-- name: record
UPDATE commands SET
    state = CASE WHEN %(handed)s THEN 'sent' ELSE 'pending' END,
    sent_ms = CASE WHEN %(handed)s THEN %(at_ms)s ELSE sent_ms END,
    last_error = %(error)s, next_attempt_ms = least(%(next_attempt_ms)s, expires_ms)
WHERE command_id = %(command_id)s AND state = 'claimed' AND attempts = %(attempt)s

-- name: answer
-- Only the device itself answers for itself; what it did counts even after the time ran out.
UPDATE commands SET state = %(state)s, answered_ms = %(at_ms)s
WHERE command_id = %(command_id)s AND device_id = %(device_id)s
  AND state IN ('pending', 'claimed', 'sent', 'expired')
RETURNING alert_id, cmd

-- name: of_person
SELECT command_id, person_id, device_id, cmd, arg, issued_by, origin, alert_id, issued_ms, expires_ms, state,
       attempts, sent_ms, answered_ms, last_error
FROM commands WHERE person_id = %(person_id)s ORDER BY issued_ms DESC, command_id LIMIT %(limit)s

-- name: open_alert_of
-- The gravest alert of the person that somebody still has to deal with.
SELECT alert_id FROM alerts
WHERE person_id = %(person_id)s AND state <> 'resolved' AND NOT drill
ORDER BY severity DESC, opened_ms DESC LIMIT 1
