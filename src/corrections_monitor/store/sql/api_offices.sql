-- name: below
WITH RECURSIVE down AS (
    SELECT office_id FROM offices WHERE office_id = %(office_id)s AND superseded_ms IS NULL
    UNION
    SELECT o.office_id FROM offices o JOIN down d ON d.office_id = o.parent_id WHERE o.superseded_ms IS NULL
)
SELECT office_id FROM down

-- name: office
SELECT office_id, parent_id, level, name, adcode, lon, lat
FROM offices WHERE office_id = %(office_id)s AND superseded_ms IS NULL

-- name: summary
-- Counts over people of the offices, protected persons left out: they stand outside every count.
WITH person AS (
    SELECT person_id FROM people
    WHERE superseded_ms IS NULL AND category <> 'protected' AND office_id = ANY(%(offices)s)
      AND from_ms <= %(now_ms)s AND to_ms > %(now_ms)s
), ordered AS (
    SELECT DISTINCT person_id FROM orders JOIN person USING (person_id)
    WHERE superseded_ms IS NULL AND from_ms <= %(now_ms)s AND to_ms > %(now_ms)s
), bound AS (
    SELECT DISTINCT person_id FROM devices JOIN person USING (person_id)
    WHERE superseded_ms IS NULL AND from_ms <= %(now_ms)s AND to_ms > %(now_ms)s
)
SELECT (SELECT count(*) FROM person) AS people,
       (SELECT count(*) FROM ordered) AS under_order,
       (SELECT count(*) FROM ordered JOIN bound USING (person_id)) AS monitored,
       (SELECT count(DISTINCT person_id) FROM episodes JOIN person USING (person_id)
        WHERE ended_ms IS NULL AND kind IN ('silence.device', 'silence.position', 'silence.band')) AS silent,
       (SELECT count(DISTINCT person_id) FROM episodes JOIN person USING (person_id)
        WHERE ended_ms IS NULL AND kind = 'unmonitored') AS unmonitored,
       (SELECT count(DISTINCT person_id) FROM leaves JOIN person USING (person_id)
        WHERE superseded_ms IS NULL AND from_ms <= %(now_ms)s AND to_ms > %(now_ms)s) AS on_leave,
       (SELECT count(DISTINCT person_id) FROM suspensions JOIN person USING (person_id)
        WHERE superseded_ms IS NULL AND from_ms <= %(now_ms)s AND to_ms > %(now_ms)s) AS suspended

-- name: alerts_standing
SELECT state, severity, count(*) AS alerts, min(opened_ms) AS oldest_ms
FROM alerts
WHERE state <> 'resolved' AND NOT drill AND office_id = ANY(%(offices)s)
GROUP BY state, severity

-- name: findings
-- What officers found since then; drills stand outside every count.
SELECT disposition, count(*) AS alerts,
       count(*) FILTER (WHERE cause = 'tamper' AND inspected IS NOT TRUE) AS uninspected_tampers
FROM alerts
WHERE state = 'resolved' AND NOT drill AND office_id = ANY(%(offices)s)
  AND disposition IS NOT NULL AND disposition <> 'drill'
  AND resolved_ms >= %(since_ms)s AND resolved_ms <= %(now_ms)s
GROUP BY disposition

-- name: steps_with_nobody
-- Steps of ladders that found nobody on duty since then: how often, and the latest.
SELECT a.office_id, t.detail ->> 'rung' AS rung, count(*) AS steps, max(t.at_ms) AS latest_ms
FROM alerts a JOIN alert_timeline t USING (alert_id)
WHERE t.what = 'skipped' AND t.detail ->> 'why' = 'nobody' AND NOT a.drill
  AND a.office_id = ANY(%(offices)s) AND a.updated_ms >= %(since_ms)s
  AND t.at_ms >= %(since_ms)s AND t.at_ms <= %(now_ms)s
GROUP BY a.office_id, rung
ORDER BY a.office_id, rung

-- name: load
-- Alerts that the officers of the offices were told of, by civil day; each once a day, drills left out.
SELECT f.office_id, p.officer_id, f.name, count(DISTINCT p.alert_id) AS alerts,
       (to_timestamp(p.due_ms / 1000.0) AT TIME ZONE %(zone)s)::date AS day
FROM officers f
JOIN pages p USING (officer_id)
JOIN alerts a USING (alert_id)
WHERE f.superseded_ms IS NULL AND f.office_id = ANY(%(offices)s) AND NOT a.drill
  AND p.purpose IN ('step', 'repeat') AND p.state <> 'moot'
  AND p.due_ms >= %(since_ms)s AND p.due_ms <= %(now_ms)s
GROUP BY f.office_id, p.officer_id, f.name, day
ORDER BY f.office_id, p.officer_id, day

-- name: on_duty
SELECT d.office_id, d.officer_id, f.name, d.from_ms, d.to_ms
FROM duty d
JOIN officers f ON f.officer_id = d.officer_id AND f.superseded_ms IS NULL
WHERE d.superseded_ms IS NULL AND d.office_id = ANY(%(offices)s)
  AND d.from_ms <= %(now_ms)s AND d.to_ms > %(now_ms)s
ORDER BY d.office_id, d.officer_id
