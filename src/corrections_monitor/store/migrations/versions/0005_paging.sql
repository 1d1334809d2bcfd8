-- What is dead, slow or throttled together: a provider, a server, a webhook; of MQTT each officer's own client.
ALTER TABLE pages ADD COLUMN lane text NOT NULL GENERATED ALWAYS AS (
    CASE WHEN channel = 'mqtt' THEN 'mqtt:' || officer_id ELSE split_part(channel, '#', 1) END) STORED;

-- Of an officer's channels where one stands in for another: a later turn is sent if no earlier one was taken.
ALTER TABLE pages ADD COLUMN turn smallint NOT NULL DEFAULT 0;

ALTER TABLE pages DROP CONSTRAINT pages_state_check;
ALTER TABLE pages ADD CONSTRAINT pages_state_check CHECK (state IN
    ('pending', 'claimed', 'sent', 'delivered', 'read', 'failed', 'unconfirmed', 'moot'));

-- The first page of a critical alert: never throttled, never bundled.
CREATE FUNCTION page_is_urgent(p pages) RETURNS boolean LANGUAGE sql IMMUTABLE AS $$
    SELECT p.purpose = 'step' AND p.step = 0 AND p.severity = 3
$$;

CREATE OR REPLACE FUNCTION page_moves() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF (OLD.state, NEW.state) NOT IN (
        ('pending', 'claimed'), ('pending', 'moot'),
        ('claimed', 'claimed'),  -- by another worker, when the lease has ended
        ('claimed', 'pending'),  -- to be tried again
        ('claimed', 'sent'), ('claimed', 'delivered'), ('claimed', 'unconfirmed'), ('claimed', 'failed'),
        ('claimed', 'moot'),
        ('sent', 'delivered'), ('unconfirmed', 'delivered'),  -- a provider's later report
        ('sent', 'read'), ('delivered', 'read'), ('unconfirmed', 'read')  -- the officer has opened it
    ) THEN
        RAISE EXCEPTION 'a page that is % cannot become %', OLD.state, NEW.state USING ERRCODE = 'check_violation';
    END IF;
    RETURN NEW;
END
$$;

-- Whether a page is still to be sent.  A step is while its alert is open in the page's round and something
-- still lasts; a tamper, an SOS and a drill last until a person answers, and a late episode is told once even
-- if it is over.  A reminder or a hand-over is for who holds the alert now; who was beaten is told anyway.
-- Nothing is sent over a channel that stands in for another once that one was taken.
CREATE OR REPLACE FUNCTION page_is_wanted(p pages, a alerts) RETURNS boolean LANGUAGE sql STABLE AS $$
    SELECT CASE
        WHEN p.purpose = 'beaten' THEN true
        WHEN a.round <> p.round THEN false
        WHEN p.turn > 0 AND EXISTS (
            SELECT FROM pages e
            WHERE e.alert_id = p.alert_id AND e.round = p.round AND e.purpose = p.purpose AND e.step = p.step
              AND e.officer_id = p.officer_id AND e.turn < p.turn AND e.state IN ('sent', 'delivered', 'read'))
            THEN false
        WHEN p.purpose IN ('reminder', 'handed-over')
            THEN a.state = 'acknowledged' AND a.acknowledged_by = p.officer_id
        ELSE a.state = 'open' AND (
            a.drill OR a.cause IN ('tamper', 'sos') OR (a.late AND p.step = 0)
            OR EXISTS (SELECT FROM episodes e WHERE e.alert_id = a.alert_id AND e.ended_ms IS NULL))
    END
$$;

-- That an officer has opened an alert is seen by the API, which may move a page in no other way.  What went to
-- another house's platform the officer has not read.
CREATE FUNCTION pages_read(the_alert text, the_officer text) RETURNS SETOF text
LANGUAGE sql VOLATILE SECURITY DEFINER SET search_path = public, pg_temp AS $$
    UPDATE pages SET state = 'read'
    WHERE alert_id = the_alert AND officer_id = the_officer AND state IN ('sent', 'delivered', 'unconfirmed')
      AND lane NOT LIKE 'webhook:%'
    RETURNING channel
$$;
REVOKE ALL ON FUNCTION pages_read FROM PUBLIC;
GRANT EXECUTE ON FUNCTION pages_read TO corrections_engine, corrections_api;
