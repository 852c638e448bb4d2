"""The kind NetworkGateway."""
