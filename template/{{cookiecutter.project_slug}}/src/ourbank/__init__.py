"""An event-sourced bank: see README.md for the two commands, docs/ for the reasons."""
