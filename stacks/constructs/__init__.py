"""Constructs that several capabilities use: bucket, function, log group, custom resource, retention."""
