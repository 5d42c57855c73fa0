"""A Hub of the tests' own on the loopback interface, and a process that uses it."""
