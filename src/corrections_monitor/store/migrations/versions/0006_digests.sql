-- The daily digest of an office (每日简报), once a day, as it was sent.
CREATE TABLE digests (
    digest_id text PRIMARY KEY, office_id text NOT NULL, day date NOT NULL, made_ms bigint NOT NULL,
    body jsonb NOT NULL, UNIQUE (office_id, day)
);
ALTER TABLE digests ENABLE ROW LEVEL SECURITY;
CREATE POLICY engine ON digests TO corrections_engine USING (true) WITH CHECK (true);
CREATE POLICY jurisdiction ON digests FOR SELECT TO corrections_api USING ((SELECT sees_everything())
    OR office_id IN (SELECT visible_offices()));
GRANT SELECT, INSERT, DELETE ON digests TO corrections_engine;
GRANT SELECT ON digests TO corrections_api;

-- A page tells of an alert or brings a digest.
ALTER TABLE pages ALTER COLUMN alert_id DROP NOT NULL;
ALTER TABLE pages ADD COLUMN digest_id text REFERENCES digests ON DELETE CASCADE;
ALTER TABLE pages ADD CONSTRAINT pages_one_matter CHECK (num_nonnulls(alert_id, digest_id) = 1);
CREATE UNIQUE INDEX pages_digest ON pages (digest_id, officer_id, channel) WHERE digest_id IS NOT NULL;

-- How much an officer was told, day by day.
CREATE INDEX pages_officer ON pages (officer_id, due_ms);
