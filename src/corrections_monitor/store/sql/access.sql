-- name: see
-- Transaction-local: which offices the API's role sees.
SELECT set_config('corrections.offices', %s, true)
