-- What was run, newest first: when, on what, how long, with which result?
SELECT
  finished_at,
  job,
  status,
  error,
  source,
  as_of_date,
  model_name,
  model_version,
  ROUND(seconds, 1) AS seconds,
  counts,
  metrics,
  inputs,
  outputs,
  run_id,
  code_version,
  settings_hash
FROM runs
ORDER BY finished_at DESC, run_id DESC
