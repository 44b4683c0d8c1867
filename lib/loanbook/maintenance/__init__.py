"""Jobs that keep a warehouse: erasing a loan, settling what another program changed."""
