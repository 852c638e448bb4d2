"""The kind Router."""
