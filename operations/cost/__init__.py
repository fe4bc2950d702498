"""What an environment costs a month, from its templates and its declared traffic: docs/operate/cost.md."""
