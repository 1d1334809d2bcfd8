-- The whole schema.  Times are Unix epoch milliseconds (…_ms) as everywhere in the program; an interval
-- holds from_ms inclusive to to_ms exclusive, an open end is ±2^60.  Keys are 64 bits wide except
-- device_no, which counts devices, not rows.

-- Roles ------------------------------------------------------------------------------------------------
-- Who migrates owns everything.  The daemon and the API each have a role of their own (granted to login
-- users, or taken on by SET ROLE); roles belong to the cluster, so they may be there already.
DO $$
DECLARE
    needed text;
BEGIN
    FOREACH needed IN ARRAY ARRAY['corrections_engine', 'corrections_api'] LOOP
        BEGIN
            EXECUTE format('CREATE ROLE %I NOLOGIN', needed);
        EXCEPTION WHEN duplicate_object OR unique_violation THEN
            NULL;
        END;
        -- Who created a role may give it away, but cannot take it on unless it is granted (since 16).
        BEGIN
            EXECUTE format('GRANT %I TO CURRENT_USER', needed);
        EXCEPTION WHEN insufficient_privilege THEN
            NULL;
        END;
    END LOOP;
END $$;

-- Cases ------------------------------------------------------------------------------------------------
-- One table per file of the case folder, system-versioned: a change writes a new row and closes the old
-- one; what was known at an instant stays readable for ever.
CREATE TABLE case_versions (
    version     bigint PRIMARY KEY,
    recorded_ms bigint NOT NULL,
    actor       text   NOT NULL
);

CREATE TABLE offices (
    office_id text NOT NULL, parent_id text, level text NOT NULL, name text NOT NULL,
    adcode text NOT NULL, lon double precision, lat double precision,
    recorded_ms bigint NOT NULL, superseded_ms bigint
);
CREATE UNIQUE INDEX offices_current ON offices (office_id) WHERE superseded_ms IS NULL;

CREATE TABLE officers (
    officer_id text NOT NULL, office_id text NOT NULL, name text NOT NULL, role text NOT NULL,
    username text NOT NULL, channels jsonb NOT NULL,
    recorded_ms bigint NOT NULL, superseded_ms bigint
);
CREATE UNIQUE INDEX officers_current ON officers (officer_id) WHERE superseded_ms IS NULL;

CREATE TABLE duty (
    office_id text NOT NULL, officer_id text NOT NULL, from_ms bigint NOT NULL, to_ms bigint NOT NULL,
    recorded_ms bigint NOT NULL, superseded_ms bigint
);
CREATE UNIQUE INDEX duty_current ON duty (office_id, officer_id, from_ms) WHERE superseded_ms IS NULL;

CREATE TABLE holidays (
    date date NOT NULL, kind text NOT NULL,
    recorded_ms bigint NOT NULL, superseded_ms bigint
);
CREATE UNIQUE INDEX holidays_current ON holidays (date) WHERE superseded_ms IS NULL;

CREATE TABLE people (
    person_id text NOT NULL, name text NOT NULL, category text NOT NULL, level text NOT NULL,
    office_id text NOT NULL, officer_id text NOT NULL, from_ms bigint NOT NULL, to_ms bigint NOT NULL,
    recorded_ms bigint NOT NULL, superseded_ms bigint
);
CREATE UNIQUE INDEX people_current ON people (person_id) WHERE superseded_ms IS NULL;

CREATE TABLE devices (
    device_id text NOT NULL, kind text NOT NULL, person_id text NOT NULL, report_every_s integer NOT NULL,
    from_ms bigint NOT NULL, to_ms bigint NOT NULL,
    recorded_ms bigint NOT NULL, superseded_ms bigint
);
CREATE UNIQUE INDEX devices_current ON devices (device_id, from_ms) WHERE superseded_ms IS NULL;
CREATE INDEX devices_person ON devices (person_id) WHERE superseded_ms IS NULL;

CREATE TABLE orders (
    order_id text NOT NULL, person_id text NOT NULL, ground text NOT NULL, approved_by text NOT NULL,
    approved_on date NOT NULL, from_ms bigint NOT NULL, to_ms bigint NOT NULL, extends text,
    recorded_ms bigint NOT NULL, superseded_ms bigint
);
CREATE UNIQUE INDEX orders_current ON orders (order_id) WHERE superseded_ms IS NULL;
CREATE INDEX orders_person ON orders (person_id) WHERE superseded_ms IS NULL;

CREATE TABLE zones (
    zone_id text NOT NULL, name text NOT NULL, kind text NOT NULL, applies_to text NOT NULL,
    shape jsonb NOT NULL, group_id text, schedule jsonb, buffer_m double precision NOT NULL,
    recorded_ms bigint NOT NULL, superseded_ms bigint
);
CREATE UNIQUE INDEX zones_current ON zones (zone_id) WHERE superseded_ms IS NULL;

CREATE TABLE leaves (
    leave_id text NOT NULL, person_id text NOT NULL, from_ms bigint NOT NULL, to_ms bigint NOT NULL,
    approved_by text NOT NULL, zone_ids jsonb NOT NULL,
    recorded_ms bigint NOT NULL, superseded_ms bigint
);
CREATE UNIQUE INDEX leaves_current ON leaves (leave_id) WHERE superseded_ms IS NULL;

CREATE TABLE suspensions (
    person_id text NOT NULL, from_ms bigint NOT NULL, to_ms bigint NOT NULL, reason text NOT NULL,
    recorded_ms bigint NOT NULL, superseded_ms bigint
);
CREATE UNIQUE INDEX suspensions_current ON suspensions (person_id, from_ms) WHERE superseded_ms IS NULL;

CREATE TABLE contact_rules (
    person_id text NOT NULL, protected_id text NOT NULL, distance_m double precision NOT NULL,
    recorded_ms bigint NOT NULL, superseded_ms bigint
);
CREATE UNIQUE INDEX contact_rules_current ON contact_rules (person_id, protected_id)
    WHERE superseded_ms IS NULL;

-- Legal holds (证据保全): of whom nothing may be deleted while the row is there.
CREATE TABLE legal_holds (
    person_id text PRIMARY KEY, reason text NOT NULL, held_by text NOT NULL, held_ms bigint NOT NULL
);

-- Telemetry: small things ------------------------------------------------------------------------------
CREATE TABLE device_numbers (
    device_no integer GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    device_id text NOT NULL UNIQUE
);

-- Messages that left no row of their own: of a person without an order this is all that is kept.
CREATE TABLE contacts (
    contact_id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    arrival_ms bigint NOT NULL, device_id text NOT NULL, topic text NOT NULL
);
CREATE INDEX contacts_device ON contacts (device_id, arrival_ms);

CREATE TABLE quarantine (
    reject_id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    arrival_ms bigint NOT NULL, device_id text, topic text NOT NULL, reason text NOT NULL,
    detail text NOT NULL, payload bytea
);
-- One row: what the quarantine holds, and what its bound has pushed out.
CREATE TABLE quarantine_size (
    only_row boolean PRIMARY KEY DEFAULT true CHECK (only_row),
    rows bigint NOT NULL DEFAULT 0, bytes bigint NOT NULL DEFAULT 0, dropped bigint NOT NULL DEFAULT 0
);
INSERT INTO quarantine_size DEFAULT VALUES;

-- Decisions --------------------------------------------------------------------------------------------
CREATE TABLE episodes (
    episode_id text PRIMARY KEY, alert_id text NOT NULL, kind text NOT NULL, person_id text NOT NULL,
    office_id text NOT NULL, subject text NOT NULL, zone_id text, started_ms bigint NOT NULL,
    detected_ms bigint NOT NULL, ended_ms bigint, severity smallint NOT NULL, late boolean NOT NULL,
    reason text NOT NULL, evidence jsonb NOT NULL, updated_ms bigint NOT NULL
);
CREATE INDEX episodes_detected ON episodes (detected_ms DESC, episode_id DESC);
CREATE INDEX episodes_person ON episodes (person_id, detected_ms DESC);
CREATE INDEX episodes_alert ON episodes (alert_id);

CREATE TABLE episode_lines (
    line_id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    episode_id text NOT NULL REFERENCES episodes, change text NOT NULL, at_ms bigint NOT NULL,
    severity smallint NOT NULL, started_ms bigint NOT NULL, ended_ms bigint, reason text NOT NULL,
    paged jsonb NOT NULL
);
CREATE INDEX episode_lines_episode ON episode_lines (episode_id);

CREATE TABLE alerts (
    alert_id text PRIMARY KEY, person_id text NOT NULL, office_id text NOT NULL, cause text NOT NULL,
    subject text NOT NULL, state text NOT NULL CHECK (state IN ('open', 'acknowledged', 'resolved')),
    severity smallint NOT NULL, opened_ms bigint NOT NULL, updated_ms bigint NOT NULL,
    reason text NOT NULL, late boolean NOT NULL, round integer NOT NULL, step integer NOT NULL,
    step_due_ms bigint, round_started_ms bigint, leading_episode text NOT NULL, kind text NOT NULL,
    round_why text NOT NULL, round_why_who text, drill boolean NOT NULL,
    acknowledged_by text, acknowledged_ms bigint, resolved_by text, resolved_ms bigint,
    disposition text, note text, inspected boolean
);
CREATE INDEX alerts_opened ON alerts (opened_ms DESC, alert_id DESC);
CREATE INDEX alerts_person ON alerts (person_id, opened_ms DESC);
CREATE INDEX alerts_unresolved ON alerts (office_id) WHERE state <> 'resolved';

-- What officers answered, in the order in which the daemon is to take it; taken_batch is null until then.
CREATE TABLE alert_answers (
    answer_id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    alert_id text NOT NULL REFERENCES alerts, answer text NOT NULL, officer_id text NOT NULL,
    at_ms bigint NOT NULL, disposition text, note text, to_officer text, taken_batch bigint
);
CREATE INDEX alert_answers_waiting ON alert_answers (answer_id) WHERE taken_batch IS NULL;

-- Drills (演练) that were ordered, one row an officer, until the daemon takes them.
CREATE TABLE drills (
    drill_id text NOT NULL, officer_id text NOT NULL, office_id text NOT NULL, alert_id text NOT NULL,
    kind text NOT NULL, severity smallint NOT NULL, at_ms bigint NOT NULL, ends_ms bigint NOT NULL,
    reason text NOT NULL, ordered_by text NOT NULL, taken_batch bigint,
    PRIMARY KEY (drill_id, officer_id)
);
CREATE INDEX drills_waiting ON drills (at_ms) WHERE taken_batch IS NULL;

-- One-time links that were used; a link is known by its hash.
CREATE TABLE links_used (
    link_sha256 bytea PRIMARY KEY, alert_id text NOT NULL REFERENCES alerts, officer_id text NOT NULL,
    used_ms bigint NOT NULL
);

CREATE TABLE alert_timeline (
    entry_id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    alert_id text NOT NULL REFERENCES alerts, at_ms bigint NOT NULL, what text NOT NULL,
    who text, detail jsonb NOT NULL
);
CREATE INDEX alert_timeline_alert ON alert_timeline (alert_id, entry_id);

-- The outbox: a page is a row of the transaction that decided it; the unique key is the promise that
-- judging the same history again pages nobody twice.
CREATE TABLE pages (
    page_id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    alert_id text NOT NULL REFERENCES alerts, round integer NOT NULL, purpose text NOT NULL DEFAULT 'step',
    step integer NOT NULL, officer_id text NOT NULL, channel text NOT NULL, address text NOT NULL, severity smallint NOT NULL,
    due_ms bigint NOT NULL,
    state text NOT NULL DEFAULT 'pending'
        CHECK (state IN ('pending', 'claimed', 'sent', 'delivered', 'failed', 'unconfirmed', 'moot')),
    attempts integer NOT NULL DEFAULT 0, next_attempt_ms bigint NOT NULL,
    handed_ms bigint, last_error text,
    UNIQUE (alert_id, round, purpose, step, officer_id, channel)
);
CREATE INDEX pages_waiting ON pages (next_attempt_ms) WHERE state IN ('pending', 'claimed');

-- The state machine of a page, whoever moves it; what is not in the table cannot happen.
CREATE FUNCTION page_moves() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF (OLD.state, NEW.state) NOT IN (
        ('pending', 'claimed'), ('pending', 'moot'),
        ('claimed', 'claimed'),  -- by another worker, when the lease has ended
        ('claimed', 'pending'),  -- to be tried again
        ('claimed', 'sent'), ('claimed', 'delivered'), ('claimed', 'unconfirmed'), ('claimed', 'failed'),
        ('claimed', 'moot'),
        ('sent', 'delivered'), ('unconfirmed', 'delivered')  -- a provider's later report
    ) THEN
        RAISE EXCEPTION 'a page that is % cannot become %', OLD.state, NEW.state USING ERRCODE = 'check_violation';
    END IF;
    RETURN NEW;
END
$$;
CREATE TRIGGER page_moves BEFORE UPDATE OF state ON pages FOR EACH ROW EXECUTE FUNCTION page_moves();

-- Whether a page is still to be sent.  A step is while its alert is open in the page's round and something
-- still lasts; a tamper, an SOS and a drill last until a person answers, and a late episode is told once even
-- if it is over.  A reminder or a hand-over is for who holds the alert now; who was beaten is told anyway.
CREATE FUNCTION page_is_wanted(p pages, a alerts) RETURNS boolean LANGUAGE sql STABLE AS $$
    SELECT CASE
        WHEN p.purpose = 'beaten' THEN true
        WHEN a.round <> p.round THEN false
        WHEN p.purpose IN ('reminder', 'handed-over')
            THEN a.state = 'acknowledged' AND a.acknowledged_by = p.officer_id
        ELSE a.state = 'open' AND (
            a.drill OR a.cause IN ('tamper', 'sos') OR (a.late AND p.step = 0)
            OR EXISTS (SELECT FROM episodes e WHERE e.alert_id = a.alert_id AND e.ended_ms IS NULL))
    END
$$;

-- Recovery ---------------------------------------------------------------------------------------------
CREATE TABLE journal (batch_no bigint PRIMARY KEY, body bytea NOT NULL);
CREATE TABLE snapshots (batch_no bigint PRIMARY KEY, body bytea NOT NULL);
-- Bodies come compressed; trying to compress them again would only cost time.
ALTER TABLE journal ALTER COLUMN body SET STORAGE EXTERNAL;
ALTER TABLE snapshots ALTER COLUMN body SET STORAGE EXTERNAL;

-- What processes tell each other (heartbeats, settings made at run time).
CREATE TABLE state (key text PRIMARY KEY, value jsonb NOT NULL, updated_ms bigint NOT NULL);

-- Access -----------------------------------------------------------------------------------------------
CREATE TABLE credentials (
    credential_id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    kind text NOT NULL CHECK (kind IN ('device', 'officer', 'service')),
    id text NOT NULL, hash text NOT NULL, created_ms bigint NOT NULL, revoked_ms bigint,
    -- Of services: what they may do, and in which office with all below it (null: everywhere).
    scopes text[], office_id text
);
CREATE UNIQUE INDEX credentials_current ON credentials (kind, id) WHERE revoked_ms IS NULL;

CREATE TABLE sessions (
    token_sha256 bytea PRIMARY KEY, session_id bigint GENERATED ALWAYS AS IDENTITY UNIQUE,
    officer_id text NOT NULL, created_ms bigint NOT NULL, expires_ms bigint NOT NULL,
    address text NOT NULL, second_factor boolean NOT NULL
);
CREATE INDEX sessions_officer ON sessions (officer_id);
CREATE INDEX sessions_expires ON sessions (expires_ms);

-- Time-based one-time passwords (RFC 6238).  confirmed_ms is null until the first code was right; last_step
-- is the newest time step used, so that a code works once.
CREATE TABLE second_factors (
    officer_id text PRIMARY KEY, secret text NOT NULL, created_ms bigint NOT NULL, confirmed_ms bigint,
    last_step bigint NOT NULL DEFAULT 0
);

-- Audit ------------------------------------------------------------------------------------------------
-- Each row's hash covers the hash before it and its own content.  audit_head names the newest row: it is
-- what shows that the tail was cut off, and its row lock lets one writer at a time extend the chain.
CREATE TABLE audit (
    seq bigint PRIMARY KEY, at_ms bigint NOT NULL, actor text NOT NULL, action text NOT NULL,
    target text NOT NULL, detail jsonb NOT NULL, previous bytea NOT NULL, hash bytea NOT NULL
);
CREATE TABLE audit_head (
    only_row boolean PRIMARY KEY DEFAULT true CHECK (only_row),
    seq bigint NOT NULL, hash bytea NOT NULL
);
INSERT INTO audit_head (seq, hash) VALUES (0, '\x');

-- Every field goes into the hash with its length before it, so that no two contents read the same.
CREATE FUNCTION audit_hash(previous bytea, seq bigint, at_ms bigint, actor text, action text,
                           target text, detail jsonb) RETURNS bytea
LANGUAGE sql IMMUTABLE AS $$
    SELECT sha256(previous || convert_to(string_agg(octet_length(part) || ':' || part, '' ORDER BY i), 'UTF8'))
    FROM unnest(ARRAY[seq::text, at_ms::text, actor, action, target, detail::text])
         WITH ORDINALITY AS parts (part, i)
$$;

-- The only way to write the audit: nobody but the owner has rights on the table itself.
CREATE FUNCTION audit_append(at_ms bigint, actor text, action text, target text, detail jsonb)
RETURNS bigint LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
DECLARE
    head audit_head;
    fresh bytea;
BEGIN
    SELECT * INTO STRICT head FROM audit_head FOR UPDATE;
    fresh := audit_hash(head.hash, head.seq + 1, at_ms, actor, action, target, detail);
    INSERT INTO audit VALUES (head.seq + 1, at_ms, actor, action, target, detail, head.hash, fresh);
    UPDATE audit_head SET seq = head.seq + 1, hash = fresh;
    RETURN head.seq + 1;
END $$;
