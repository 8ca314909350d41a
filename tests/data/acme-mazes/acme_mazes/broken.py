"""A solver whose module cannot even be imported."""

raise RuntimeError("no such luck")
