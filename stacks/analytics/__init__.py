"""The application on Managed Service for Apache Flink: code, properties, role, start."""
