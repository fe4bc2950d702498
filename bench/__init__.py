"""How fast everything is, measured and recorded: docs/reference/benchmarks.md."""
