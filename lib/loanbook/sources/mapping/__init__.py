"""What a mapping file says of a tape."""
