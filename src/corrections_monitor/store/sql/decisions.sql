-- name: put_episode
-- Late news may move an episode's times after its alert is gone; such a line names no alert, and the episode
-- stays with the one it has.  What an episode is about stays its reason when it is over; how it ended stands in
-- its lines.
INSERT INTO episodes AS e (episode_id, alert_id, kind, person_id, office_id, subject, zone_id, started_ms,
                      detected_ms, ended_ms, severity, late, reason, evidence, updated_ms)
VALUES (%(episode_id)s, %(alert_id)s, %(kind)s, %(person_id)s, %(office_id)s, %(subject)s, %(zone_id)s,
        %(started_ms)s, %(detected_ms)s, %(ended_ms)s, %(severity)s, %(late)s, %(reason)s, %(evidence)s,
        %(at_ms)s)
ON CONFLICT (episode_id) DO UPDATE SET
    alert_id = coalesce(nullif(excluded.alert_id, ''), e.alert_id),
    office_id = excluded.office_id, zone_id = excluded.zone_id,
    started_ms = excluded.started_ms, ended_ms = excluded.ended_ms, severity = excluded.severity,
    late = excluded.late, evidence = excluded.evidence, updated_ms = excluded.updated_ms,
    reason = CASE WHEN excluded.ended_ms IS NULL THEN excluded.reason ELSE e.reason END

-- name: add_line
INSERT INTO episode_lines (episode_id, change, at_ms, severity, started_ms, ended_ms, reason, paged)
VALUES (%(episode_id)s, %(change)s, %(at_ms)s, %(severity)s, %(started_ms)s, %(ended_ms)s, %(reason)s,
        %(paged)s)

-- name: put_alert
-- An officer's answer is written by the API and taken by the daemon later: until then the daemon still
-- thinks the alert open.  So the state only moves forward (open, acknowledged, resolved), except that a
-- new round opens it anew; then who answered the last round stands in the timeline alone.  A round that
-- began because nothing followed an acknowledgement does not undo a resolution.
INSERT INTO alerts AS a (alert_id, person_id, office_id, cause, subject, state, severity, opened_ms,
                         updated_ms, reason, late, round, step, step_due_ms, round_started_ms,
                         leading_episode, kind, round_why, round_why_who, drill)
VALUES (%(alert_id)s, %(person_id)s, %(office_id)s, %(cause)s, %(subject)s, %(state)s, %(severity)s,
        %(opened_ms)s, %(updated_ms)s, %(reason)s, %(late)s, %(round)s, %(step)s, %(step_due_ms)s,
        %(round_started_ms)s, %(leading_episode)s, %(kind)s, %(round_why)s, %(round_why_who)s, %(drill)s)
ON CONFLICT (alert_id) DO UPDATE SET
    office_id = excluded.office_id, severity = excluded.severity,
    updated_ms = greatest(a.updated_ms, excluded.updated_ms), reason = excluded.reason,
    late = excluded.late, round = excluded.round, step = excluded.step,
    step_due_ms = excluded.step_due_ms, round_started_ms = excluded.round_started_ms,
    leading_episode = excluded.leading_episode, kind = excluded.kind,
    round_why = excluded.round_why, round_why_who = excluded.round_why_who,
    state = CASE
        WHEN excluded.round > a.round AND NOT (excluded.round_why = 'expired' AND a.state = 'resolved')
            THEN excluded.state
        WHEN array_position(ARRAY['open', 'acknowledged', 'resolved'], excluded.state)
           > array_position(ARRAY['open', 'acknowledged', 'resolved'], a.state) THEN excluded.state
        ELSE a.state END,
    (acknowledged_by, acknowledged_ms, resolved_by, resolved_ms, disposition, note, inspected) = (
        SELECT a.acknowledged_by, a.acknowledged_ms, a.resolved_by, a.resolved_ms, a.disposition, a.note,
               a.inspected
        WHERE excluded.round = a.round OR (excluded.round_why = 'expired' AND a.state = 'resolved'))

-- name: put_page
INSERT INTO pages (alert_id, round, purpose, step, officer_id, channel, address, severity, due_ms,
                   next_attempt_ms, turn)
VALUES (%(alert_id)s, %(round)s, %(purpose)s, %(step)s, %(officer_id)s, %(channel)s, %(address)s,
        %(severity)s, %(due_ms)s, %(due_ms)s, %(turn)s)
ON CONFLICT (alert_id, round, purpose, step, officer_id, channel) DO NOTHING

-- name: add_timeline
INSERT INTO alert_timeline (alert_id, at_ms, what, who, detail)
VALUES (%(alert_id)s, %(at_ms)s, %(what)s, %(who)s, %(detail)s)

-- name: tell
-- Within a transaction the server itself drops what was told twice.
SELECT pg_notify(%s, %s)
