"""Real books with known answers, sent through the public API and compared with the bank's own."""
