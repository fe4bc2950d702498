"""What a change of this repository does to a deployed environment, on one page for its reviewer.

Works offline: it compares what two revisions synthesise, and asks AWS nothing.
"""
