"""The demo: a bank from nothing, checked and measured from outside."""
