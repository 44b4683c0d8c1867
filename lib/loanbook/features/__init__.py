"""Features and labels: DataFrame to DataFrame, one theme a module, nothing known later than its month."""
