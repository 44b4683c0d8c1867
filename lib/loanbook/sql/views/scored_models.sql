-- Which models have scored which months, and which of them is the book's (is_book), the others being challengers?
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
trained AS (
  SELECT model_name, model_version, MAX(finished_at) AS trained_at
  FROM runs
  WHERE job = 'train_model' AND status = 'published'
  GROUP BY model_name, model_version
),
book AS (
  SELECT
    source,
    scenario,
    model_name,
    model_version,
    ROW_NUMBER() OVER (PARTITION BY source, scenario ORDER BY finished_at DESC, run_id DESC) AS newest
  FROM runs
  WHERE job = 'score_portfolio' AND status = 'published' AND model_role = 'book'
)
SELECT
  scored.source,
  scored.scenario,
  scored.model_name,
  scored.model_version,
  scored.first_month,
  scored.last_month,
  scored.months,
  scored.scores,
  trained.trained_at,
  book.newest IS NOT NULL AS is_book
FROM scored
LEFT JOIN trained
  ON trained.model_name = scored.model_name
  AND trained.model_version = scored.model_version
LEFT JOIN book
  ON book.source = scored.source
  AND book.scenario = scored.scenario
  AND book.model_name = scored.model_name
  AND book.model_version = scored.model_version
  AND book.newest = 1
