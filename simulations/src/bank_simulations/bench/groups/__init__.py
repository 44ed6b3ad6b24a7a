"""The measurements, a group a file: each says how long it takes, and adds figures to the run."""
