"""AWS: the table, the bucket, the queues, the bus and the state machine."""
