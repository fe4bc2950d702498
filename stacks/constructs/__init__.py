"""Small parts that every room uses: bucket, function, log group, custom resource, retention, findings."""
