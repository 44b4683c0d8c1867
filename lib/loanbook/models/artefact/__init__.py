"""A trained model on disk: writing, reading, choosing, predicting."""
