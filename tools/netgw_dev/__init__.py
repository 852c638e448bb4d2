"""What developing netgw needs and users do not: a control plane for tests and for the demo. Never shipped."""
