-- Case folders that came from another system (名册交换).  A folder that differs from what is in force is
-- applied, or waits for a person where it would leave somebody unmonitored; content goes once it is decided.
CREATE TABLE exchanges (
    exchange_id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    came_ms bigint NOT NULL, source text NOT NULL, digest bytea NOT NULL, base_version bigint NOT NULL,
    state text NOT NULL CHECK (state IN
        ('pending', 'confirmed', 'applied', 'same', 'refused', 'superseded', 'faulty')),
    difference jsonb NOT NULL, holes jsonb NOT NULL, faults jsonb NOT NULL, content bytea,
    decided_by text, decided_ms bigint, reason text, version bigint,
    CHECK (state IN ('pending', 'confirmed') = (content IS NOT NULL))
);
ALTER TABLE exchanges ALTER COLUMN content SET STORAGE EXTERNAL;
CREATE UNIQUE INDEX exchanges_waiting ON exchanges ((true)) WHERE state IN ('pending', 'confirmed');
ALTER TABLE exchanges ENABLE ROW LEVEL SECURITY;
CREATE POLICY engine ON exchanges TO corrections_engine USING (true) WITH CHECK (true);
-- A folder is about everybody: only who sees everybody sees it.
CREATE POLICY jurisdiction ON exchanges TO corrections_api USING ((SELECT sees_everything()) OR (SELECT sees_a_root()));
GRANT SELECT, INSERT, UPDATE, DELETE ON exchanges TO corrections_engine;
GRANT SELECT, UPDATE (state, content, decided_by, decided_ms, reason) ON exchanges TO corrections_api;

-- Which transaction changed a violation last, by itself or by what became of its alert.  Times would not do:
-- what a daemon catches up on carries the times at which it was due.  All below the oldest transaction still
-- under way (pg_snapshot_xmin) is committed and will not become more.
ALTER TABLE episodes ADD COLUMN changed_xid xid8 NOT NULL DEFAULT '0';
ALTER TABLE alerts ADD COLUMN changed_xid xid8 NOT NULL DEFAULT '0';
CREATE INDEX episodes_changed ON episodes (changed_xid);
CREATE INDEX alerts_changed ON alerts (changed_xid);
CREATE FUNCTION note_change() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    NEW.changed_xid := pg_current_xact_id();
    RETURN NEW;
END
$$;
CREATE TRIGGER note_change BEFORE INSERT OR UPDATE ON episodes FOR EACH ROW EXECUTE FUNCTION note_change();
CREATE TRIGGER note_change BEFORE UPDATE ON alerts FOR EACH ROW
    WHEN ((OLD.state, OLD.disposition, OLD.office_id) IS DISTINCT FROM (NEW.state, NEW.disposition, NEW.office_id))
    EXECUTE FUNCTION note_change();

-- Keeping (保存期限) ---------------------------------------------------------------------------------------
-- The oldest rows of the audit go, never those of the last six months (网络安全法 第二十一条; by the
-- database's own clock), and the chain itself says so: the cut names the last row that went, with its hash,
-- which the first that stays carries as its previous.
CREATE FUNCTION audit_cut(before_ms bigint, at_ms bigint) RETURNS bigint
LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
DECLARE
    bound bigint := least(before_ms, (extract(epoch FROM clock_timestamp()) * 1000)::bigint - 184 * 86400000::bigint);
    head audit_head;
    stays bigint;
    last audit;
    gone bigint;
BEGIN
    SELECT * INTO STRICT head FROM audit_head FOR UPDATE;
    SELECT min(a.seq) INTO stays FROM audit a WHERE a.at_ms >= bound;
    SELECT * INTO last FROM audit a WHERE a.seq < coalesce(stays, head.seq) ORDER BY a.seq DESC LIMIT 1;
    IF last.seq IS NULL THEN
        RETURN 0;
    END IF;
    DELETE FROM audit a WHERE a.seq <= last.seq;
    GET DIAGNOSTICS gone = ROW_COUNT;
    PERFORM audit_append(at_ms, 'system', 'audit.cut', last.seq::text,
                         jsonb_build_object('rows', gone, 'hash', encode(last.hash, 'hex')));
    RETURN gone;
END $$;
REVOKE ALL ON FUNCTION audit_cut FROM PUBLIC;
GRANT EXECUTE ON FUNCTION audit_cut TO corrections_engine;
