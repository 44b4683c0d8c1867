"""What is published, and who may write: the rules under which runs share a warehouse's tables."""
