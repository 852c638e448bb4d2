"""Metrics of gateways: asked for, understood, remembered."""
