"""What a process tells Prometheus about itself; docs/metrics.md is the page about it."""
