"""What `./scripts/mutants` does: break a generated bank in one place after the other."""
