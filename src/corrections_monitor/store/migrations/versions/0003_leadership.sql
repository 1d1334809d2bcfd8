-- The term of whoever is in charge (store/leader.py).  A sequence: drawn once, never given back.
CREATE SEQUENCE leadership_term AS bigint;
GRANT USAGE, SELECT ON SEQUENCE leadership_term TO corrections_engine;
