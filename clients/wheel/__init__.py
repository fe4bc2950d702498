"""The wheel of the batch server's command line, board and library: `make wheel`."""
