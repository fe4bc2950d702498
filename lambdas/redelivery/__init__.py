"""Redelivers counts that OpenSearch did not take."""
