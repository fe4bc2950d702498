"""What web servers run: fluentd or Fluent Bit, configured from the same settings as the infrastructure."""
