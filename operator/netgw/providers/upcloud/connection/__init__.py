"""The kind VpnConnection."""
