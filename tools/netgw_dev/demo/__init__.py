"""`make demo`: the whole story of a VPN, seen by a newcomer in half a minute; `python -m netgw_dev.demo` runs it.

A real API server, the operator as its own ServiceAccount, a simulated UpCloud and the real kubectl. Exit status 0 only
if every step was observed.
"""
