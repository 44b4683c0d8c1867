"""What a loan book is: its months, who is in it, and when a loan is in default."""
