"""The service: a queue of runs, a page, and HTTP; ``dominance serve`` starts it."""
