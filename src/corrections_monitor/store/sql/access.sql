-- name: see
-- Transaction-local: which offices the API's role sees, who asks, and whose guarded file was opened.
SELECT set_config('corrections.offices', %s, true), set_config('corrections.officer', %s, true),
       set_config('corrections.opened', %s, true)
