-- How has each loan's PD moved from one scored month to the next, by model and scenario?
SELECT
  source,
  loan_id,
  as_of_date,
  model_name,
  model_version,
  predictor,
  scenario,
  default_status,
  state,
  upb,
  pd_12m,
  pd_12m - LAG(pd_12m) OVER (
    PARTITION BY source, loan_id, model_name, model_version, predictor, scenario
    ORDER BY as_of_date
  ) AS pd_12m_change,
  pd_6m,
  pd_24m,
  pd_lifetime,
  prepayment_12m,
  pd_outcome,
  rank_only
FROM scores
