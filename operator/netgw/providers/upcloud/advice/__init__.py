"""Advice that blocks nothing: what is odd about an object, what it means, what to do. Pure."""
