"""What the GitHub workflows run beside `make`. Standard library only: where these run with a token that may
write, nothing is installed."""
