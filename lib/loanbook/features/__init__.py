"""Features: what was known of each loan at each month, one theme a module, and nothing later."""
