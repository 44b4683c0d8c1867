"""From judged rows to the published tables: which delivery wins, what comes back, what is counted."""
