# There is no image yet: how to run the operator without one is in docs/operations.md.
