"""The engine: what is known of each loan at each month, one partition of loans at a time."""
