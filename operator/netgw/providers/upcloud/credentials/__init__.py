"""Which credentials serve an object, and what becomes of them."""
