"""What holds a program in, outside of it: isolation levels, namespaces, Landlock, probes."""
