-- What are the scores of the book by its model, all months?
SELECT scores.*
FROM scores
INNER JOIN scored_models
  ON scores.source = scored_models.source
  AND scores.scenario = scored_models.scenario
  AND scores.model_name = scored_models.model_name
  AND scores.model_version = scored_models.model_version
  AND scored_models.is_book
