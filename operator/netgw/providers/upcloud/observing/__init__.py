"""How UpCloud is looked at: when, what was seen, and whether it can be seen at all."""
