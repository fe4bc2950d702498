"""Publishing versions of the segments, and going back to one."""
