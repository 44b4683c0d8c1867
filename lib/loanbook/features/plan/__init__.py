"""Which months are to be made, and what changed since they were."""
