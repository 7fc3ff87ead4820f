"""The machine: errors, processes, devices, secrets, files."""
