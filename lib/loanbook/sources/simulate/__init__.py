"""A simulated loan book whose default probabilities are known."""
