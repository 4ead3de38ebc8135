"""Cards: one debit card for one wish, whatever fails."""
