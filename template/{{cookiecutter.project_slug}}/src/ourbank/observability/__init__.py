"""What operators see: logs without personal data, Prometheus metrics."""
