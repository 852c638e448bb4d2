"""The kind VpnTunnel."""
