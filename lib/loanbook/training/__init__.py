"""From pinned tables to a saved model: splits, snapshot, petastorm, Horovod."""
