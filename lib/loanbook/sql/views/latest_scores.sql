-- What is the latest score of each loan, by the book's model?
WITH ranked AS (
  SELECT
    *,
    ROW_NUMBER() OVER (PARTITION BY source, scenario, loan_id ORDER BY as_of_date DESC) AS newest
  FROM current_scores
)
SELECT
  source,
  loan_id,
  as_of_date,
  default_status,
  state,
  upb,
  pd_12m,
  pd_12m_raw,
  pd_lifetime,
  prepayment_12m,
  pd_outcome,
  pd_outcome_raw,
  rank_only,
  pd_method,
  credit_score,
  vintage,
  region,
  months_since_report,
  quality_flags,
  model_name,
  model_version,
  predictor,
  scenario,
  default_definition_id,
  calibration_id,
  features_version,
  run_id
FROM ranked
WHERE newest = 1
