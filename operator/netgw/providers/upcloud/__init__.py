"""UpCloud: network gateways (NAT, IPsec VPN), their connections and their tunnels."""
