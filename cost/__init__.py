"""What an environment costs a month, from its templates and its declared traffic: docs/cost.md."""
