"""UpCloud in memory: network gateways as today's API behaves, with a clock, dials and faults of your own.

`World` holds rules and state, `app` puts the URLs on it, `transport` is the way in for httpx without a socket and
`server.serve` the same behind a socket. It imports nothing of the rest of netgw.
"""

from .api import app
from .behaviour import Behaviour
from .faults import Fault
from .transport import transport
from .world import Call, World

__all__ = ["Behaviour", "Call", "Fault", "World", "app", "transport"]
