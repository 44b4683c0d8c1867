-- How many performing loans, and how much balance, are expected to default within 12 months of each month?
SELECT
  source,
  as_of_date,
  scenario,
  model_name,
  model_version,
  predictor,
  COUNT(*) AS loans,
  SUM(upb) AS upb,
  SUM(CASE WHEN default_status = 'performing' THEN 1 ELSE 0 END) AS performing,
  SUM(CASE WHEN default_status = 'performing' THEN 0 ELSE 1 END) AS defaulted,
  AVG(CASE WHEN default_status = 'performing' AND NOT rank_only THEN pd_12m END) AS mean_pd_12m,
  SUM(CASE WHEN default_status = 'performing' AND NOT rank_only THEN pd_12m END) AS expected_defaults,
  SUM(CASE WHEN default_status = 'performing' AND NOT rank_only THEN pd_12m * upb END) AS expected_default_upb,
  AVG(CASE WHEN NOT rank_only THEN pd_outcome END) AS mean_pd_outcome,
  SUM(CASE WHEN NOT rank_only THEN pd_outcome END) AS expected_outcomes,
  BOOL_OR(rank_only) AS rank_only
FROM current_scores
GROUP BY 1, 2, 3, 4, 5, 6
ORDER BY 1, 2, 3, 4, 5, 6
