"""The clouds, one folder each. Providers do not know each other; `netgw.kinds` lists them."""
