"""netgw: a Kubernetes operator for cloud network gateways."""

__version__ = "0.1.0"
