"""What netgw knows of Kubernetes, without kopf and without any cloud."""
