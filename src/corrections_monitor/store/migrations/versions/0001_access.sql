-- Who may see and do what.  The database alone holds it: a fault in the API shows nothing of other offices.

-- Jurisdiction -----------------------------------------------------------------------------------------
-- 'corrections.offices' is set for one transaction: an array of office ids, each standing for itself and
-- all below it, or '*' for the service's own work.  Unset it reads NULL, after a transaction that set it
-- ''; both see nothing.
CREATE FUNCTION sees_everything() RETURNS boolean LANGUAGE sql STABLE AS $$
    SELECT coalesce(current_setting('corrections.offices', true) = '*', false)
$$;

CREATE FUNCTION visible_offices() RETURNS SETOF text
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = public, pg_temp AS $$
    WITH RECURSIVE roots AS (
        SELECT unnest(nullif(nullif(current_setting('corrections.offices', true), ''), '*')::text[]) AS id
    ), down AS (
        SELECT o.office_id FROM offices o JOIN roots r ON r.id = o.office_id WHERE o.superseded_ms IS NULL
        UNION
        SELECT o.office_id FROM offices o JOIN down d ON d.office_id = o.parent_id
        WHERE o.superseded_ms IS NULL
    )
    SELECT office_id FROM down
$$;

CREATE FUNCTION offices_above() RETURNS SETOF text
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = public, pg_temp AS $$
    WITH RECURSIVE up AS (
        SELECT o.parent_id AS id FROM offices o JOIN visible_offices() v ON v = o.office_id
        WHERE o.superseded_ms IS NULL
        UNION
        SELECT o.parent_id FROM offices o JOIN up u ON u.id = o.office_id WHERE o.superseded_ms IS NULL
    )
    SELECT id FROM up WHERE id IS NOT NULL
$$;

CREATE FUNCTION sees_a_root() RETURNS boolean
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = public, pg_temp AS $$
    SELECT EXISTS (SELECT FROM offices o JOIN visible_offices() v ON v = o.office_id
                   WHERE o.superseded_ms IS NULL AND o.parent_id IS NULL)
$$;

DO $$
DECLARE
    bound text;
BEGIN
    FOREACH bound IN ARRAY ARRAY['people', 'devices', 'orders', 'leaves', 'suspensions', 'contact_rules',
                                 'episodes', 'episode_lines', 'alerts', 'alert_answers', 'alert_timeline',
                                 'pages', 'zones', 'duty', 'audit', 'drills', 'links_used', 'sessions',
                                 'second_factors', 'legal_holds', 'commands'] LOOP
        EXECUTE format('ALTER TABLE %I ENABLE ROW LEVEL SECURITY', bound);
        EXECUTE format('CREATE POLICY engine ON %I TO corrections_engine USING (true) WITH CHECK (true)', bound);
    END LOOP;
    FOREACH bound IN ARRAY ARRAY['people', 'episodes', 'alerts', 'duty', 'drills'] LOOP
        EXECUTE format('CREATE POLICY jurisdiction ON %I TO corrections_api USING ((SELECT sees_everything()) '
                       'OR office_id IN (SELECT visible_offices()))', bound);
    END LOOP;
    FOREACH bound IN ARRAY ARRAY['devices', 'orders', 'leaves', 'suspensions', 'contact_rules',
                                 'legal_holds', 'commands'] LOOP
        EXECUTE format('CREATE POLICY jurisdiction ON %I TO corrections_api USING ((SELECT sees_everything()) '
                       'OR person_id IN (SELECT person_id FROM people WHERE superseded_ms IS NULL))', bound);
    END LOOP;
    FOREACH bound IN ARRAY ARRAY['sessions', 'second_factors'] LOOP
        EXECUTE format('CREATE POLICY jurisdiction ON %I TO corrections_api USING ((SELECT sees_everything()) '
                       'OR officer_id IN (SELECT officer_id FROM officers WHERE superseded_ms IS NULL '
                       'AND office_id IN (SELECT visible_offices())))', bound);
    END LOOP;
    FOREACH bound IN ARRAY ARRAY['alert_answers', 'alert_timeline', 'pages', 'links_used'] LOOP
        EXECUTE format('CREATE POLICY jurisdiction ON %1$I TO corrections_api USING ((SELECT sees_everything()) '
                       'OR EXISTS (SELECT FROM alerts a WHERE a.alert_id = %1$I.alert_id))', bound);
    END LOOP;
    -- A zone of a higher office applies to one's own people; one for nobody is where somebody may be sent.
    CREATE POLICY jurisdiction ON zones TO corrections_api USING ((SELECT sees_everything())
        OR applies_to IN ('*', '')
        OR applies_to IN (SELECT offices_above())
        OR applies_to IN (SELECT visible_offices())
        OR applies_to IN (SELECT person_id FROM people WHERE superseded_ms IS NULL));
    -- Of the audit everyone sees what officers of their offices did, a root office also what the system did.
    CREATE POLICY jurisdiction ON audit FOR SELECT TO corrections_api USING ((SELECT sees_everything())
        OR (SELECT sees_a_root())
        OR actor IN (SELECT officer_id FROM officers WHERE office_id IN (SELECT visible_offices())));
    CREATE POLICY jurisdiction ON episode_lines TO corrections_api USING ((SELECT sees_everything())
        OR EXISTS (SELECT FROM episodes e WHERE e.episode_id = episode_lines.episode_id));
END $$;

-- Telemetry for the API: through the person a device was bound to at the time, and only of persons seen.
-- These views run with the owner's rights, so they state the jurisdiction themselves.
CREATE VIEW seen_bindings WITH (security_barrier) AS
    SELECT p.person_id, d.device_id, d.kind AS device_kind, n.device_no, d.from_ms, d.to_ms
    FROM people p
    JOIN devices d ON d.person_id = p.person_id AND d.superseded_ms IS NULL
    JOIN device_numbers n ON n.device_id = d.device_id
    WHERE p.superseded_ms IS NULL AND p.category <> 'protected'
      AND ((SELECT sees_everything()) OR p.office_id IN (SELECT visible_offices()));

CREATE VIEW person_fixes WITH (security_barrier) AS
    SELECT b.person_id, b.device_id, b.device_kind, f.src, f.t_ms, f.arrival_ms,
           f.lon_e7 / 1e7::double precision AS lon, f.lat_e7 / 1e7::double precision AS lat, f.acc_m,
           (f.spd_cms / 100.0)::real AS spd_mps, ((f.hdg_cdeg + 36000) % 36000 / 100.0)::real AS hdg_deg
    FROM seen_bindings b
    JOIN fixes f ON f.device_no = b.device_no AND f.t_ms >= b.from_ms AND f.t_ms < b.to_ms;

CREATE VIEW person_events WITH (security_barrier) AS
    SELECT b.person_id, b.device_id, b.device_kind, e.ev, e.t_ms, e.arrival_ms, e.battery_pct
    FROM seen_bindings b
    JOIN band_events e ON e.device_no = b.device_no AND e.t_ms >= b.from_ms AND e.t_ms < b.to_ms;

CREATE VIEW person_contacts WITH (security_barrier) AS
    SELECT b.person_id, b.device_id, c.arrival_ms
    FROM seen_bindings b
    JOIN contacts c ON c.device_id = b.device_id AND c.arrival_ms >= b.from_ms AND c.arrival_ms < b.to_ms;

-- What could not be used: of one's own people's devices; what names no device of anybody, a root office sees.
-- Of a protected person's device nothing is told but that there was something.
CREATE VIEW seen_rejects WITH (security_barrier) AS
    SELECT q.reject_id, q.arrival_ms, q.device_id, q.topic, q.reason, q.detail,
           CASE WHEN EXISTS (SELECT FROM devices d JOIN people p USING (person_id)
                             WHERE d.device_id = q.device_id AND p.category = 'protected')
                THEN NULL ELSE q.payload END AS payload
    FROM quarantine q
    WHERE (SELECT sees_everything()) OR (SELECT sees_a_root())
       OR q.device_id IN (SELECT d.device_id FROM devices d JOIN people p USING (person_id)
                          WHERE d.superseded_ms IS NULL AND p.superseded_ms IS NULL
                            AND p.office_id IN (SELECT visible_offices()));

-- Rights -----------------------------------------------------------------------------------------------
REVOKE ALL ON FUNCTION audit_append, ensure_partitions, settle_partition, drop_partitions FROM PUBLIC;
GRANT EXECUTE ON FUNCTION audit_append TO corrections_engine, corrections_api;
GRANT EXECUTE ON FUNCTION ensure_partitions, settle_partition, drop_partitions TO corrections_engine;

GRANT SELECT, INSERT, UPDATE ON case_versions, offices, officers, duty, holidays, people, devices, orders,
    zones, leaves, suspensions, contact_rules TO corrections_engine, corrections_api;

GRANT SELECT, INSERT, UPDATE, DELETE ON device_numbers, fixes, band_events, contacts, quarantine,
    quarantine_size, episodes, episode_lines, alerts, alert_answers, alert_timeline, pages, commands, journal,
    snapshots, state, credentials, sessions, second_factors, drills, links_used TO corrections_engine;
GRANT SELECT ON audit, audit_head, legal_holds TO corrections_engine;

GRANT SELECT ON seen_bindings, seen_rejects, person_fixes, person_events, person_contacts, episodes, episode_lines,
    alerts, alert_answers, alert_timeline, pages, commands, quarantine_size, state, credentials, audit, audit_head
    TO corrections_api;
GRANT UPDATE (state, updated_ms, acknowledged_by, acknowledged_ms, resolved_by, resolved_ms, disposition, note,
    inspected) ON alerts TO corrections_api;
GRANT INSERT ON alert_answers, alert_timeline, commands TO corrections_api;
GRANT SELECT, INSERT ON drills, links_used TO corrections_api;
GRANT SELECT, INSERT, UPDATE, DELETE ON legal_holds TO corrections_api;
GRANT UPDATE (state) ON commands TO corrections_api;
GRANT INSERT, UPDATE ON state, credentials TO corrections_api;
GRANT SELECT, INSERT, UPDATE, DELETE ON sessions, second_factors TO corrections_api;
