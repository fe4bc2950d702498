"""OpenSearch Dashboards of the counts: its saved objects, and how they get there."""
