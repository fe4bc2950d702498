"""How fast everything is, measured and recorded: docs/benchmarks.md."""
