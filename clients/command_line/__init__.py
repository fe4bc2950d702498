"""The command line: `click-trends top --last 10m --gender female`."""
