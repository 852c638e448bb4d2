"""The reconcile engine: what to do next for one object, and in which order.

It knows no cloud, no kopf, no HTTP and no Kubernetes client. Time, randomness, Kubernetes and the cloud come in
through the Protocols of `ports.py` and `actuator.py`, so that everything here runs under virtual time.
"""
