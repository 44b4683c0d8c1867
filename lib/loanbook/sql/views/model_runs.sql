-- Which models were trained, newest first: on what, how good on the test rows, and is it the book's (is_book)?
WITH trained AS (
  SELECT
    *,
    ROW_NUMBER() OVER (PARTITION BY model_name, model_version ORDER BY finished_at DESC, run_id DESC) AS newest
  FROM runs
  WHERE job = 'train_model' AND status = 'published'
),
scored AS (
  SELECT
    source,
    model_name,
    model_version,
    ROW_NUMBER() OVER (PARTITION BY source, scenario ORDER BY finished_at DESC, run_id DESC) AS newest
  FROM runs
  WHERE job = 'score_portfolio' AND status = 'published' AND model_role = 'book'
),
book AS (
  SELECT DISTINCT source, model_name, model_version FROM scored WHERE newest = 1
)
SELECT
  trained.finished_at AS trained_at,
  trained.source,
  trained.model_name,
  trained.model_version,
  NULLIF(REGEXP_EXTRACT(trained.details, '"head": "([^"]*)"', 1), '') AS head,
  NULLIF(REGEXP_EXTRACT(trained.details, '"event": "([^"]*)"', 1), '') AS event,
  NULLIF(REGEXP_EXTRACT(trained.details, '"model_status": "([^"]*)"', 1), '') AS model_status,
  REPLACE(REGEXP_EXTRACT(trained.details, '"shortfalls": .((?:"[a-z_]+"(?:, )?)*)', 1), '"', '') AS shortfalls,
  NULLIF(REGEXP_EXTRACT(trained.details, '"uncalibrated": (true|false)', 1), '') = 'true' AS uncalibrated,
  NULLIF(REGEXP_EXTRACT(trained.details, '"best": .*?"predictor": "([^"]*)"', 1), '') AS best_predictor,
  trained.metrics['test_log_loss_model'] AS test_log_loss,
  trained.metrics['test_log_loss_constant'] AS test_log_loss_constant,
  trained.metrics['test_log_loss_logistic'] AS test_log_loss_logistic,
  trained.metrics['test_log_loss_matrix'] AS test_log_loss_matrix,
  trained.metrics['test_log_loss_scorecard'] AS test_log_loss_scorecard,
  trained.metrics['test_log_loss_cart'] AS test_log_loss_cart,
  trained.metrics['test_log_loss_lightgbm'] AS test_log_loss_lightgbm,
  trained.metrics['test_log_loss_lightgbm_tuned'] AS test_log_loss_lightgbm_tuned,
  book.model_name IS NOT NULL AS is_book,
  trained.run_id
FROM trained
LEFT JOIN book
  ON book.source = trained.source
  AND book.model_name = trained.model_name
  AND book.model_version = trained.model_version
WHERE trained.newest = 1
ORDER BY trained_at DESC, trained.run_id DESC
