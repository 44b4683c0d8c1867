"""Labels: what became of each loan in the months after."""
