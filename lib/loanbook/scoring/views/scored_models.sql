-- Which models have scored which months, and which of them was trained last (is_latest)?
WITH scored AS (
  SELECT
    source,
    scenario,
    model_name,
    model_version,
    MIN(as_of_date) AS first_month,
    MAX(as_of_date) AS last_month,
    COUNT(DISTINCT as_of_date) AS months,
    COUNT(*) AS scores
  FROM scores
  GROUP BY source, scenario, model_name, model_version
),
dated AS (
  SELECT
    scored.source,
    scored.scenario,
    scored.model_name,
    scored.model_version,
    scored.first_month,
    scored.last_month,
    scored.months,
    scored.scores,
    MAX(training.finished_at) AS trained_at
  FROM scored
  LEFT JOIN runs AS training
    ON training.job = 'train_model'
    AND training.status = 'published'
    AND training.model_name = scored.model_name
    AND training.model_version = scored.model_version
  GROUP BY
    scored.source,
    scored.scenario,
    scored.model_name,
    scored.model_version,
    scored.first_month,
    scored.last_month,
    scored.months,
    scored.scores
)
SELECT
  dated.*,
  ROW_NUMBER() OVER (
    PARTITION BY source, scenario
    ORDER BY trained_at DESC NULLS LAST, model_version DESC, model_name
  ) = 1 AS is_latest
FROM dated
