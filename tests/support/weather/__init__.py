"""Bad weather: what a cloud and a cluster do to whoever depends on them, from a seed, and how long it takes to end."""
