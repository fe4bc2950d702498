"""Delivery streams (Firehose): counts to OpenSearch, raw clicks and rejects to S3."""
