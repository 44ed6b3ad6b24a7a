"""Published books with known answers, sent through the public API and compared with them."""
