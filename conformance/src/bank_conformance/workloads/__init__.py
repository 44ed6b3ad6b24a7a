"""What is done to a bank to make its bugs likely. A workload records; it never judges."""
