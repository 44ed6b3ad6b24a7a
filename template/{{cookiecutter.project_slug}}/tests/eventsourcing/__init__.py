"""The tests of the kernel: it knows nothing of banking, and neither do they."""
