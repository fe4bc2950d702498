"""Quotas of AWS that a default of a setting and its check both need."""

# Amazon Data Firehose developer guide, "Quota", Direct PUT in us-west-2; records and bytes grow together
DIRECT_PUT_MIB_PER_SECOND = 5
DIRECT_PUT_RECORDS_PER_SECOND = 500_000
