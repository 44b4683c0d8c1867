-- What is the mean PD of performing loans by {what} and month? Defaulted loans have lines of their own.
SELECT
  source,
  as_of_date,
  scenario,
  model_name,
  model_version,
  predictor,
  {group} AS {column},
  CASE WHEN default_status = 'performing' THEN 'performing' ELSE 'defaulted' END AS book,
  COUNT(*) AS loans,
  SUM(upb) AS upb,
  AVG(CASE WHEN NOT rank_only THEN pd_12m END) AS mean_pd_12m,
  SUM(CASE WHEN default_status = 'performing' AND NOT rank_only THEN pd_12m END) AS expected_defaults,
  AVG(CASE WHEN NOT rank_only THEN pd_outcome END) AS mean_pd_outcome,
  SUM(CASE WHEN NOT rank_only THEN pd_outcome END) AS expected_outcomes,
  BOOL_OR(rank_only) AS rank_only
FROM current_scores
GROUP BY 1, 2, 3, 4, 5, 6, 7, 8
ORDER BY 1, 2, 3, 4, 5, 6, 8 DESC, 7
