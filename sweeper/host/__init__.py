"""The machine: errors, processes, devices, secrets, files, amounts as people read them."""
