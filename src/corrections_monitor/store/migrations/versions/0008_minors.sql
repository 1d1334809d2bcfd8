-- Files of minors (未成年人, 社区矫正法 第五十二至五十八条): named by initials everywhere; positions, evidence,
-- home zones and the name are read only by the chief of the person's own office and by officers named here,
-- one person at a time and for a reason that is logged.  The database alone holds it, for the API's role.
CREATE TABLE guarded_minors (
    person_id text PRIMARY KEY, officers text[] NOT NULL, reason text NOT NULL, guarded_by text NOT NULL,
    guarded_ms bigint NOT NULL
);
ALTER TABLE guarded_minors ENABLE ROW LEVEL SECURITY;
CREATE POLICY engine ON guarded_minors TO corrections_engine USING (true) WITH CHECK (true);
CREATE POLICY jurisdiction ON guarded_minors TO corrections_api USING ((SELECT sees_everything())
    OR person_id IN (SELECT person_id FROM people WHERE superseded_ms IS NULL));
GRANT SELECT ON guarded_minors TO corrections_engine;
GRANT SELECT, INSERT, UPDATE, DELETE ON guarded_minors TO corrections_api;

-- 王小明 → 王某某, 欧阳修 → 欧阳某, Li Lei → L. L., as rules.text.initials has it.
CREATE FUNCTION initials(name text) RETURNS text LANGUAGE sql IMMUTABLE AS $$
    SELECT CASE WHEN name !~ '[^\x01-\x7f]' THEN
        (SELECT coalesce(string_agg(upper(left(part, 1)) || '.', ' '), '')
         FROM regexp_split_to_table(trim(name), '\s+') AS part WHERE part <> '')
    ELSE (SELECT surname || repeat('某', greatest(length(name) - length(surname), 1))
          FROM (SELECT left(name, CASE WHEN length(name) > 2 AND left(name, 2) IN ('欧阳', '上官', '司马', '诸葛',
              '东方', '皇甫', '尉迟', '公孙', '慕容', '长孙', '宇文', '司徒', '夏侯') THEN 2 ELSE 1 END) AS surname) s)
    END
$$;

-- How a person is called by whoever does not ask for one file: in pages, digests and what leaves the house.
CREATE FUNCTION told_name(person text, name text) RETURNS text LANGUAGE sql STABLE
SECURITY DEFINER SET search_path = public, pg_temp AS $$
    SELECT CASE WHEN EXISTS (SELECT FROM guarded_minors g WHERE g.person_id = person) THEN initials(name) ELSE name END
$$;

-- 'corrections.officer' is who asks, 'corrections.opened' whose file they gave a reason for; both for one
-- transaction, like 'corrections.offices'.
CREATE FUNCTION may_open(person text) RETURNS boolean LANGUAGE sql STABLE
SECURITY DEFINER SET search_path = public, pg_temp AS $$
    SELECT EXISTS (
        SELECT FROM guarded_minors g
        JOIN people p ON p.person_id = g.person_id AND p.superseded_ms IS NULL
        JOIN officers f ON f.superseded_ms IS NULL AND f.officer_id = current_setting('corrections.officer', true)
        WHERE g.person_id = person AND (f.officer_id = ANY(g.officers) OR (f.role = 'chief' AND f.office_id = p.office_id))
          AND p.office_id IN (SELECT visible_offices()))
$$;

CREATE FUNCTION closed_minors() RETURNS SETOF text LANGUAGE sql STABLE
SECURITY DEFINER SET search_path = public, pg_temp AS $$
    SELECT g.person_id FROM guarded_minors g
    WHERE NOT sees_everything()
      AND NOT (g.person_id = coalesce(current_setting('corrections.opened', true), '') AND may_open(g.person_id))
$$;

-- What the API's role finds under these names (its search_path begins here).  The views run with the owner's
-- rights, so they state the jurisdiction themselves; the tables behind them it cannot read whole.
CREATE SCHEMA api;
GRANT USAGE ON SCHEMA api TO corrections_api;

CREATE VIEW api.people AS
    SELECT p.person_id,
           CASE WHEN p.person_id = ANY(ARRAY(SELECT closed_minors())) THEN initials(p.name) ELSE p.name END AS name,
           p.category, p.level, p.office_id, p.officer_id, p.from_ms, p.to_ms, p.recorded_ms, p.superseded_ms
    FROM public.people p
    WHERE (SELECT sees_everything()) OR p.office_id IN (SELECT visible_offices());

CREATE VIEW api.episodes AS
    SELECT e.episode_id, e.alert_id, e.kind, e.person_id, e.office_id, e.subject, e.zone_id, e.started_ms,
           e.detected_ms, e.ended_ms, e.severity, e.late, e.reason,
           CASE WHEN e.person_id = ANY(ARRAY(SELECT closed_minors())) THEN '{}'::jsonb ELSE e.evidence END AS evidence,
           e.updated_ms, e.person_id = ANY(ARRAY(SELECT person_id FROM public.guarded_minors)) AS minor
    FROM public.episodes e
    WHERE (SELECT sees_everything()) OR e.office_id IN (SELECT visible_offices());

REVOKE ALL ON people, episodes FROM corrections_api;
GRANT SELECT (person_id, category, level, office_id, officer_id, from_ms, to_ms, recorded_ms, superseded_ms)
    ON people TO corrections_api;
GRANT SELECT (episode_id, alert_id, kind, person_id, office_id, subject, started_ms, detected_ms, ended_ms, severity)
    ON episodes TO corrections_api;
GRANT SELECT ON api.people, api.episodes TO corrections_api;

CREATE OR REPLACE VIEW person_fixes WITH (security_barrier) AS
    SELECT b.person_id, b.device_id, b.device_kind, f.src, f.t_ms, f.arrival_ms,
           f.lon_e7 / 1e7::double precision AS lon, f.lat_e7 / 1e7::double precision AS lat, f.acc_m,
           (f.spd_cms / 100.0)::real AS spd_mps, ((f.hdg_cdeg + 36000) % 36000 / 100.0)::real AS hdg_deg
    FROM seen_bindings b
    JOIN fixes f ON f.device_no = b.device_no AND f.t_ms >= b.from_ms AND f.t_ms < b.to_ms
    WHERE b.person_id <> ALL(ARRAY(SELECT closed_minors()));

-- That a fix came and when is no position: by it the census knows that somebody is heard, guarded or not.
CREATE VIEW person_arrivals WITH (security_barrier) AS
    SELECT b.person_id, f.t_ms, f.arrival_ms
    FROM seen_bindings b
    JOIN fixes f ON f.device_no = b.device_no AND f.t_ms >= b.from_ms AND f.t_ms < b.to_ms;
GRANT SELECT ON person_arrivals TO corrections_api;

-- What a guarded person's device sent and could not be used may hold a position too.
CREATE OR REPLACE VIEW seen_rejects WITH (security_barrier) AS
    SELECT q.reject_id, q.arrival_ms, q.device_id, q.topic, q.reason, q.detail,
           CASE WHEN EXISTS (SELECT FROM devices d JOIN people p USING (person_id)
                             WHERE d.device_id = q.device_id AND (p.category = 'protected'
                                   OR p.person_id = ANY(ARRAY(SELECT closed_minors()))))
                THEN NULL ELSE q.payload END AS payload
    FROM quarantine q
    WHERE (SELECT sees_everything()) OR (SELECT sees_a_root())
       OR q.device_id IN (SELECT d.device_id FROM devices d JOIN people p USING (person_id)
                          WHERE d.superseded_ms IS NULL AND p.superseded_ms IS NULL
                            AND p.office_id IN (SELECT visible_offices()));

-- Where a minor lives.
CREATE POLICY minors ON zones AS RESTRICTIVE FOR SELECT TO corrections_api
    USING (applies_to <> ALL(ARRAY(SELECT closed_minors())));
