"""Why an upload is refused whatever its rows are."""

MAX_ATTEMPTS = 3
"""At an upload, before it is refused: it must not block those behind it for ever."""
UNFINISHED = (
    f"it could not be validated in {MAX_ATTEMPTS} attempts; each ran out of time or memory, or met an "
    "unknown error: see the log of the publisher, and publish a smaller file"
)
USED = (
    "a file with other content was published under this name: publish this one under another name, as a "
    "published version never changes"
)
SUCCEEDED = "it was made from the version {}, but {} is the newest by now: make it again from that"
UNREAD = (
    "S3 does not let the publisher read or copy the file ({}): upload it without encryption of your own, "
    "in the storage class STANDARD and with at most 5 GB"
)
