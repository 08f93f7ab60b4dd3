"""The ports on one machine: a database in a file takes the place of table, queues and bus."""
