"""From lines to rows of the canonical columns, each with the checks that it fails."""
