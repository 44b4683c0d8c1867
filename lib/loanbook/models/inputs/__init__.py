"""What a model reads: candidates, how each is prepared, vocabularies."""
